# refused at start-up: routing.bad-name: the name 'shop.todos' must be made of letters
from kingpost import App, Blueprint

todos = Blueprint("shop.todos")
app = App()
app.include(todos)
