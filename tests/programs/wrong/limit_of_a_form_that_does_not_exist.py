# refused at start-up: routing.bad-option: the route option form_limits={'max_files': 3} has 'max_files', and may have fields, files, field, memory, file, spool
from kingpost import App, UploadFile

app = App()


@app.post("/pictures", form_limits={"max_files": 3})  # type: ignore[typeddict-unknown-key]  # it is what is refused
def add(pictures: list[UploadFile]) -> int:
    return len(pictures)
