# refused at start-up: csp.bad-source: a nonce that is always the same is none
from kingpost import App
from kingpost.middleware import ContentSecurityPolicy

app = App(middleware=[ContentSecurityPolicy({"script-src": ["'nonce-abc'"]})])
