# refused by mypy: incompatible type "Callable[[], str]"; expected "str"
from kingpost import App

app = App()


@app.get
def home() -> str:
    return ""
