# refused at start-up: app.no-host: the App does not know its own name, so it has no absolute URLs
from kingpost import App

app = App()


@app.get("/")
def home() -> str:
    return ""


print(app.url_for("home", absolute=True))
