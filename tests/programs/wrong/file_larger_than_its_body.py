# refused at start-up: routing.bad-option: /pictures: form_limits allows a file of 67108864 bytes, and the whole body may have 16777216
from kingpost import App, UploadFile

app = App()


@app.post("/pictures", form_limits={"file": "64 MiB"})
def add(picture: UploadFile) -> int:
    return picture.size
