"""One handler for pages, programs and spreadsheets; and bodies of more than one media type."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from typing import Annotated, Any

from kingpost import App, Html, NotFound, Response, Struct
from kingpost.http.media import Csv, Format, Json, MessagePack
from kingpost.schema import Private


class PropertyList:
    """A codec of one's own: whatever has these four."""

    media_type = "application/x-plist"
    extension = "plist"

    def encode(self, value: Any, /) -> bytes:
        return plistlib.dumps(value, sort_keys=False)

    def decode(self, document: bytes, /) -> Any:
        try:
            return plistlib.loads(document)
        except Exception as error:
            # Whatever a parser raises: the mistake is the client's.
            raise ValueError("no property list") from error


class Place(Struct):
    name: str
    people: int
    secret: Annotated[str, Private()] = ""


def page(places: Sequence[Place]) -> Html:
    return (
        Html("<ul>")
        + Html("").join(Html.format("<li>{}</li>", place.name) for place in places)
        + Html("</ul>")
    )


def markdown(places: Sequence[Place]) -> str:
    return "".join(f"* {place.name}\n" for place in places)


PLACES = [Place("Rome", 2_800_000, "s"), Place("<Łódź>", 650_000, "s")]
app = App()
app.extensions.codec(MessagePack())
app.extensions.codec(PropertyList())


@app.get(
    "/places",
    formats=[
        Json(),
        Csv(),
        Format("text/html", "html", page),
        Format("text/markdown", "md", markdown),
    ],
)
def places() -> list[Place]:
    return PLACES


@app.get("/places/{number:int}", formats=[Json(), MessagePack()])
async def place(number: int) -> Place:
    if not 0 <= number < len(PLACES):
        raise NotFound(f"no place {number}")
    return PLACES[number]


@app.post("/places", status=201)
def add(place: Place) -> Place:
    return place


@app.get("/moved")
def moved() -> Response[dict[str, int]]:
    return Response({"moved": 1}, status=203, headers={"x-by": "hand"})
