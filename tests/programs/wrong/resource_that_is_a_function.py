# refused by mypy: has incompatible type "Callable[[], str]"; expected "type[
from kingpost import App

app = App()


@app.resource("/quote")
def quote() -> str:
    return ""
