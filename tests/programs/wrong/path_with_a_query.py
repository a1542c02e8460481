# refused at start-up: routing.bad-pattern: '?' cannot stand in a path
from kingpost import App

app = App()


@app.get("/todos?page={page}")
def home(page: int) -> str:
    return ""
