# refused by mypy: Unexpected keyword argument "requires" for "get"
from kingpost import App

app = App()


@app.get("/", requires=print)
def home() -> str:
    return ""
