# refused by mypy: in call to "Blueprint"
from kingpost import App, Blueprint

todos = Blueprint(prefix="/todos")
app = App()
app.include(todos)
