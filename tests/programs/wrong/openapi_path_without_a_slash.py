# refused at start-up: routing.bad-prefix: the prefix 'docs' must begin with '/' and not end with one
from kingpost import App
from kingpost.openapi import OpenAPI

app = App()
app.install(OpenAPI("docs"))
