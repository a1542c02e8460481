# refused at start-up: binding.star-parameter: add(**options: str) -> str: **options: str takes whatever comes
from kingpost import App

app = App()


@app.post("/")
def add(**options: str) -> str:
    return ""
