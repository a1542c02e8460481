# refused by mypy: Argument 1 to "FileResponse" has incompatible type "bytes"; expected "str | PathLike[str]"
from kingpost import App, FileResponse

app = App()


@app.get("/")
def home() -> FileResponse:
    return FileResponse(b"the content itself")
