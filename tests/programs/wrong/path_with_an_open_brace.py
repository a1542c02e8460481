# refused at start-up: routing.bad-pattern: '{id' has no closing brace
from kingpost import App

app = App()


@app.get("/{id")
def home(id: int) -> str:
    return ""
