# refused by mypy: incompatible type "Callable[[NotFound], str]"
from kingpost import App, NotFound

app = App()


@app.error(NotFound)
def missing(error: NotFound) -> str:
    return ""
