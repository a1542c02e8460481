# refused at start-up: schema.unknown-field: an answer of User names the field 'emial', and User has no 'emial'
from typing import Annotated

from kingpost import App, Struct
from kingpost.schema import Without

app = App()


class User(Struct):
    name: str
    email: str


@app.get("/user")
def user() -> Annotated[User, Without("emial")]:
    return User("Ada", "ada@example.org")
