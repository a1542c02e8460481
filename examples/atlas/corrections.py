"""Corrections by people: a file of CSV, of which all lines are taken, or none."""

import csv

import msgspec
from world import Change, Topic, World

from kingpost import Blueprint, NotFound, Redirect, Request, UploadFile, ValidationError, WebSocket
from kingpost.channels import Channels
from kingpost.errors import FieldError
from kingpost.templates import Template

LATEST = "select * from corrections order by rowid desc limit 50"

corrections = Blueprint("corrections")


class Line(Change, kw_only=True):
    """A line of the file; as in all CSV of the atlas, the first one has the names of the columns."""

    topic: Topic
    code: str


@corrections.get("/corrections", openapi=False)
def show(world: World) -> Template:
    """The latest corrections, and a form for more."""
    return Template("corrections.html", problems=[], latest=world.select(LATEST))


@corrections.websocket("/corrections/live")
async def live(ws: WebSocket, channels: Channels) -> None:
    """Says "more" when there are more, whoever has made them."""
    async with channels.join("corrections", ws):
        await ws.receive()


@corrections.post("/corrections", max_body="8 MiB", openapi=False)
def correct(request: Request, file: UploadFile, world: World) -> Redirect:
    """A line changes an entry as far as there are columns for it."""
    problems: list[FieldError] = []
    lines = file.read().decode("utf-8-sig", "replace").splitlines()
    for number, row in enumerate(csv.DictReader(lines, restkey="more"), 2):
        try:
            line = msgspec.convert(row, Line)
            world.correct(world.get(line.topic, line.code), line)
        except (msgspec.ValidationError, NotFound) as error:
            where = ["body", f"line {number}"]
            problems.append({"location": where, "code": "bad-line", "message": str(error)})
    if problems:
        raise ValidationError("Nothing was changed.", errors=problems)
    return Redirect(request.url_for(".show"))


@corrections.error(ValidationError)
def refused(_: Request, error: ValidationError, world: World) -> Template:
    latest = world.select(LATEST)
    return Template("corrections.html", status=422, problems=error.errors, latest=latest)
