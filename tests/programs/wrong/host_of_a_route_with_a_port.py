# refused at start-up: routing.bad-host: 'example.org:8000' is no host of a route: 'org:8000' is neither a label nor a parameter such as '{tenant}'
from kingpost import App

app = App()


@app.get("/", hosts=["example.org:8000"])
def home() -> str:
    return ""
