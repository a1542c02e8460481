# refused at start-up: routing.bad-option: the route option max_body='2 meters' is a number of bytes, or text such as "2 MiB"
from kingpost import App

app = App()


@app.post("/", max_body="2 meters")
def home() -> str:
    return ""
