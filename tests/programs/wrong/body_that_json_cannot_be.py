# refused at start-up: binding.body-type: things cannot be read from JSON
from typing import Annotated

from kingpost import App, Body, Struct

app = App()


class Cat(Struct):
    name: str


class Dog(Struct):
    name: str


@app.post("/pets")
def add(things: Annotated[Cat | Dog, Body()]) -> str:
    return ""
