"""A JSON API: notes that are listed, shown, added, changed and deleted."""

from __future__ import annotations

from typing import Annotated

from kingpost import App, Blueprint, Meta, NotFound, Request, Response, Struct

Text = Annotated[str, Meta(min_length=1, max_length=1000)]


class NewNote(Struct):
    text: Text
    tags: tuple[str, ...] = ()


class Note(NewNote, kw_only=True):
    id: int


class StoredNote(Note, kw_only=True):
    owner_email: str = "secret@example.org"


notes: dict[int, StoredNote] = {}
api = Blueprint("notes", prefix="/notes", version="1")


@api.get("")
async def every(
    tag: list[str] | None = None, page: Annotated[int, Meta(ge=1)] = 1, size: int = 20
) -> list[Note]:
    wanted = [note for note in notes.values() if tag is None or set(tag) <= set(note.tags)]
    found: list[Note] = list(wanted[(page - 1) * size : page * size])
    return found


@api.post("", status=201)
async def create(new: NewNote, request: Request) -> Response[Note]:
    note = StoredNote(id=len(notes) + 1, text=new.text, tags=new.tags)
    notes[note.id] = note
    return Response(note, status=201, headers={"Location": request.url_for(".show", id=note.id)})


@api.get("/{id:int}", errors=[NotFound])
async def show(id: int) -> Note:
    if id not in notes:
        raise NotFound(f"no note {id}")
    return notes[id]


@api.put("/{id:int}")
async def change(id: int, new: NewNote) -> Note:
    note = notes[id] = StoredNote(id=id, text=new.text, tags=new.tags)
    return note


@api.delete("/{id:int}")
async def delete(id: int) -> None:
    notes.pop(id, None)


app = App()
app.include(api, prefix="/api")
