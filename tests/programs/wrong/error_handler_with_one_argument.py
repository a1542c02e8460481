# refused at start-up: binding.error-handler: missing(error) -> str: an error handler takes the request and the error
from kingpost import App

app = App()


@app.error(404)
def missing(error) -> str:
    return ""
