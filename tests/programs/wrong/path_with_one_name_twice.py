# refused at start-up: routing.bad-pattern: two parameters are called 'id'
from kingpost import App

app = App()


@app.get("/{id}/parts/{id}")
def home(id: int) -> str:
    return ""
