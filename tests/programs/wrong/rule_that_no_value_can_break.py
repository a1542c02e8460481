# refused at start-up: binding.bad-rule: page is Annotated[int, Meta(max_length=3)], and max_length is no rule for int
from typing import Annotated

from msgspec import Meta

from kingpost import App

app = App()


@app.get("/")
def show(page: Annotated[int, Meta(max_length=3)]) -> int:
    return page
