# refused at start-up: proxies.everybody: every visitor could say who he is
from kingpost import App
from kingpost.middleware import TrustedProxies

app = App(middleware=[TrustedProxies(["0.0.0.0/0"])])
