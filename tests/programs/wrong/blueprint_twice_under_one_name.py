# refused at start-up: routing.name-taken: two routes are called 'todos.index'
from kingpost import App, Blueprint

todos = Blueprint("todos")


@todos.get("/todos")
def index() -> str:
    return ""


app = App()
app.include(todos, prefix="/mine")
app.include(todos, prefix="/yours")
