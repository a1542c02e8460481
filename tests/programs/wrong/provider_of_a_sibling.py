# refused at start-up: injection.not-visible: buy(user: User) -> str: user is User, which a provider makes that this route does not see
from kingpost import App, Blueprint, Struct

app = App()
shop, admin = Blueprint("shop", prefix="/shop"), Blueprint("admin", prefix="/admin")


class User(Struct):
    name: str


@admin.provide
def user() -> User:
    return User("ann")


@shop.post("/")
def buy(user: User) -> str:
    return user.name


app.include(shop)
app.include(admin)
