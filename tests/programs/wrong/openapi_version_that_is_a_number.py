# refused by mypy: Argument "version" to "OpenAPI" has incompatible type "float"; expected "str"
from kingpost import App
from kingpost.openapi import OpenAPI

app = App()
app.install(OpenAPI(version=1.4))
