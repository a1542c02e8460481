# refused at start-up: routing.bad-prefix: the prefix '/todos/' must begin with '/' and not end with one
from kingpost import App, Blueprint

todos = Blueprint("todos", prefix="/todos/")
app = App()
app.include(todos)
