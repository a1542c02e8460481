# refused at start-up: csp.bad-source: without quotes it is a host
from kingpost import App
from kingpost.middleware import ContentSecurityPolicy

app = App(middleware=[ContentSecurityPolicy({"default-src": ["self"]})])
