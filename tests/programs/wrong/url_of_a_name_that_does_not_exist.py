# refused at start-up: routing.unknown-name: no route is called 'hom'
from kingpost import App

app = App()


@app.get("/")
def home() -> str:
    return ""


print(app.url_for("hom"))
