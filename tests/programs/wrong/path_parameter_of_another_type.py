# refused at start-up: binding.path-type: show(id: str) -> str: the path says {id:int}, which gives int, and the parameter says str
from kingpost import App

app = App()


@app.get("/{id:int}")
def show(id: str) -> str:
    return ""
