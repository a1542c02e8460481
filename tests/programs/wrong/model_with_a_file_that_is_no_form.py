# refused at start-up: binding.body-type: add(album: Album) -> str: album cannot be read from JSON: Album.cover: no JSON becomes UploadFile
from kingpost import App, Struct, UploadFile

app = App()


class Album(Struct):
    title: str
    cover: UploadFile


@app.post("/albums")
def add(album: Album) -> str:
    return album.title
