# refused by mypy: incompatible type "str"; expected "RouteGroup | Sequence[Route | Include]"
from kingpost import App

app = App()
app.include("todos")
