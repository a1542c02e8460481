# refused at start-up: injection.never-read: order(order: Order) -> str: order is Order, and no client may send the User in it: a provider makes it
from kingpost import App, Struct

app = App()


class User(Struct):
    name: str
    is_admin: bool = False


class Order(Struct):
    text: str
    owner: User


@app.provide
def user() -> User:
    return User("ann")


@app.post("/orders")
def order(order: Order) -> str:
    return order.owner.name
