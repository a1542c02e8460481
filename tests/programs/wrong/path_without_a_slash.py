# refused at start-up: routing.bad-pattern: the path 'todos' is not a pattern: a path begins with '/'
from kingpost import App

app = App()


@app.get("todos")
def home() -> str:
    return ""
