# refused at start-up: binding.missing-path-parameter: show() -> str: the path has {id}, and no parameter is called that
from kingpost import App

app = App()


@app.get("/{id}")
def show() -> str:
    return ""
