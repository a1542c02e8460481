# refused at start-up: binding.body-on-get: home(user: User) -> str: user is read from the body, and GET has none
from kingpost import App, Struct

app = App()


class User(Struct):
    name: str


def user() -> User:
    """Nobody has registered it."""
    return User("ann")


@app.get("/")
def home(user: User) -> str:
    return user.name
