# refused at start-up: security-headers.bad-hsts: mean all their subdomains
from kingpost import App
from kingpost.middleware import Hsts, SecurityHeaders

app = App(middleware=[SecurityHeaders(hsts=Hsts(preload=True))])
