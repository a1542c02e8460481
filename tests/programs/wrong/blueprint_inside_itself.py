# refused at start-up: routing.include-circle: Blueprint('todos', prefix='') includes itself
from kingpost import App, Blueprint

todos = Blueprint("todos")
todos.include(todos, prefix="/again")
app = App()
app.include(todos)
