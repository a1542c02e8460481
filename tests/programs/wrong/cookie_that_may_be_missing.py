# refused by mypy: Incompatible return value type (got "Basket | None", expected "Basket")
from kingpost import App, Request, Struct
from kingpost.signing import SignedCookies

app = App()


class Basket(Struct):
    items: list[str]


@app.get("/")
def basket(request: Request, cookies: SignedCookies) -> Basket:
    return cookies.get(request, "basket", Basket)
