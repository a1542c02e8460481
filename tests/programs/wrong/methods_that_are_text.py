# refused at start-up: routing.bad-method: methods is a list such as ['GET', 'POST'], not 'POST'
from kingpost import App

app = App()


@app.route("/", methods="POST")
def home() -> str:
    return ""
