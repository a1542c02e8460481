# refused at start-up: binding.body-on-get: todo is read from the body, and GET has none
from kingpost import App, Struct

app = App()


class Todo(Struct):
    title: str


@app.route("/todos", methods=["GET", "POST"])
def add(todo: Todo) -> str:
    return ""
