# refused by mypy: incompatible type "App"; expected "RouteGroup | Sequence[Route | Include]"
from kingpost import App

app = App()
other = App()
app.include(other)
