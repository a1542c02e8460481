# refused at start-up: routing.bad-pattern: '<int:id>' is a parameter elsewhere; write '{id:int}'
from kingpost import App

app = App()


@app.get("/todos/<int:id>")
def show(id: int) -> str:
    return f"todo {id}"
