"""JSON by msgspec for the servers and frameworks where it is left to the user."""

from typing import Annotated

import msgspec


class Item(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=100)]
    email: Annotated[str, msgspec.Meta(max_length=100)]
    age: Annotated[int, msgspec.Meta(ge=0, le=150)]
    tags: list[str]
    active: bool


decode_item = msgspec.json.Decoder(Item).decode
encode = msgspec.json.Encoder().encode
