# refused at start-up: routing.bad-pattern: '{a}-{b}' has two parameters
from kingpost import App

app = App()


@app.get("/{a}-{b}")
def home(a: str, b: str) -> str:
    return ""
