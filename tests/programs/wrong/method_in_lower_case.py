# refused at start-up: routing.bad-method: 'post' is no method; methods are upper-case, such as 'GET'
from kingpost import App

app = App()


@app.route("/", methods=["post"])
def home() -> str:
    return ""
