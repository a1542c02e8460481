# refused by mypy: Argument 2 to "mount" of "App" has incompatible type "Blueprint"; expected "App | Callable[..., Any]"
from kingpost import App, Blueprint

app = App()
app.mount("/todos", Blueprint("todos"))
