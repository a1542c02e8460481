"""A resource class that serves a collection and its members."""

from __future__ import annotations

from kingpost import App, NotFound, Struct, route

app = App()


class Thing(Struct):
    name: str


@app.resource("/things", name="things")
class Things:
    def __init__(self) -> None:
        self.all: dict[int, Thing] = {1: Thing("anvil")}

    def get(self) -> list[Thing]:
        return list(self.all.values())

    @route("", status=201)
    def post(self, thing: Thing) -> Thing:
        self.all[max(self.all) + 1] = thing
        return thing

    @route("/{id:int}")
    def show(self, id: int) -> Thing:
        if id not in self.all:
            raise NotFound(f"no thing {id}")
        return self.all[id]

    @route("/{id:int}", methods=["DELETE"])
    def remove(self, id: int) -> None:
        self.all.pop(id, None)
