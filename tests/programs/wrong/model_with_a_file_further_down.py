# refused at start-up: binding.text-type: album cannot be read from the form: Album.cover is Picture; a field may be UploadFile or list[UploadFile], with None or without
from typing import Annotated

from kingpost import App, Form, Struct, UploadFile

app = App()


class Picture(Struct):
    caption: str
    file: UploadFile


class Album(Struct):
    title: str
    cover: Picture


@app.post("/albums")
def add(album: Annotated[Album, Form()]) -> str:
    return album.title
