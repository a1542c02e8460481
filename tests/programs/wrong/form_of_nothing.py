# refused at start-up: binding.unknown-type: sign(name: Form) -> str: name: Form says where a value comes from, and not what it is
from kingpost import App, Form

app = App()


@app.post("/")
def sign(name: Form) -> str:
    return ""
