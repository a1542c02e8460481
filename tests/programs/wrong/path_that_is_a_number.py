# refused by mypy: incompatible type "int"; expected "str"
from kingpost import App

app = App()


@app.get(5)
def home() -> str:
    return ""
