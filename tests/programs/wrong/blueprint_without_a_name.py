# refused by mypy: Too few arguments for "Blueprint"
from kingpost import App, Blueprint

todos = Blueprint(prefix="/todos")
app = App()
app.include(todos)
