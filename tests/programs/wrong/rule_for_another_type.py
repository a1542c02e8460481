# refused at start-up: binding.body-type: item cannot be read from JSON: Item.name: ge is no rule for str
from typing import Annotated

from kingpost import App, Meta, Struct

app = App()


class Item(Struct):
    name: Annotated[str, Meta(ge=1)]


@app.post("/items")
def add(item: Item) -> str:
    return item.name
