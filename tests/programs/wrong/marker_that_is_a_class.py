# refused at start-up: binding.bad-marker: page is marked with a class
from typing import Annotated

from kingpost import App, Query

app = App()


@app.get("/")
def home(page: Annotated[int, Query]) -> str:
    return ""
