"""Every place of a request that a parameter is read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kingpost import App, Cookie, Form, Header, Meta, Path, Query, Struct, UploadFile

app = App()


class Filter(Struct, kw_only=True):
    """Several query parameters that belong together: `?filter[name]=x&filter[size]=3`."""

    name: str = ""
    size: Annotated[int, Meta(ge=1)] = 10


@dataclass
class Contact:
    name: str
    age: Annotated[int, Meta(ge=0)]
    topics: list[str]


@app.get("/search/{shelf}")
def search(
    shelf: Annotated[str, Path()],
    filter: Annotated[Filter, Query()],
    tag: Annotated[list[str], Query(separator=",")],
    page_size: Annotated[int, Query(alias="page-size")] = 20,
    user_agent: Annotated[str, Header()] = "nobody",
    token: Annotated[str | None, Header("x-api-token")] = None,
    theme: Annotated[str, Cookie()] = "light",
) -> dict[str, object]:
    return {
        "shelf": shelf,
        "filter": filter,
        "tags": tag,
        "page_size": page_size,
        "agent": user_agent,
        "token": token,
        "theme": theme,
    }


class Paging(Struct):
    page: Annotated[int, Meta(ge=1)] = 1
    size: Annotated[int, Meta(ge=1, le=100)] = 20


class Tracing(Struct):
    x_request_from: str
    retries: Annotated[int, Meta(le=3)] = 0


class Choices(Struct):
    theme: str = "light"
    columns: int = 2


@app.get("/grouped")
def grouped(
    paging: Annotated[Paging, Query(flat=True)],
    tracing: Annotated[Tracing, Header()],
    choices: Annotated[Choices, Cookie()],
) -> dict[str, object]:
    return {"paging": paging, "tracing": tracing, "choices": choices}


@app.post("/login")
def login(name: Annotated[str, Form()], password: Annotated[str, Form()]) -> str:
    return f"welcome {name}, {len(password)} characters"


@app.post("/contact")
def contact(form: Form[Contact]) -> dict[str, object]:
    if not form.is_valid:
        return {"errors": form.errors}
    return {"contact": form.value}


class Album(Struct):
    title: Annotated[str, Meta(min_length=1)]
    year: int
    cover: UploadFile
    pages: list[UploadFile] = []  # noqa: RUF012 - a Struct copies it
    sleeve: UploadFile | None = None


@app.post(
    "/albums",
    max_body="64 MiB",
    form_limits={"fields": 10, "files": 20, "file": "8 MiB", "spool": "1 MiB"},
)
def add_album(album: Annotated[Album, Form()]) -> dict[str, object]:
    return {
        "title": album.title,
        "cover": album.cover.filename,
        "pages": [page.size for page in album.pages],
        "has_sleeve": album.sleeve is not None,
    }


@app.post("/albums/preview")
def preview_album(form: Form[Album]) -> dict[str, object]:
    if not form.is_valid:
        return {"errors": form.errors, "title": form.data.get("title", "")}
    return {"size": form.value.cover.size}


@app.post("/avatar")
def avatar(picture: UploadFile, caption: Annotated[str, Form()] = "") -> dict[str, object]:
    return {
        "name": picture.filename,
        "type": picture.content_type,
        "size": picture.size,
        "first": picture.read()[:4].hex(),
        "caption": caption,
    }
