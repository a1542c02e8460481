"""The article's API Star sample: a schema on a view, and a component that gives the current user."""

from __future__ import annotations

from typing import Annotated, Literal

from kingpost import App, Header, Meta, NotFound, Path, Struct, Unauthorized

app = App()


class Product(Struct, kw_only=True):
    name: Annotated[str, Meta(max_length=100)]
    rating: Annotated[int, Meta(ge=1, le=5)]
    in_stock: bool = False
    size: Literal["small", "medium", "large"]


class User(Struct):
    name: str


USERS = {"Bearer 7f3a": User("ada")}
PRODUCTS: dict[str, Product] = {}


@app.provide
def current_user(authorization: Annotated[str, Header()] = "") -> User:
    if authorization not in USERS:
        raise Unauthorized("who are you?", headers={"www-authenticate": "Bearer"})
    return USERS[authorization]


@app.post("/create_product/", status=201, errors=[Unauthorized])
def create_product(product: Product, user: User) -> Product:
    """Save a new product."""
    PRODUCTS[product.name] = product
    return product


@app.get("/whoami", errors=[Unauthorized])
def whoami(user: User) -> User:
    return user


@app.get("/products/{name}", errors=[NotFound])
def show_product(
    name: Annotated[str, Path(description="As it was created.")], currency: str = "EUR"
) -> Product:
    """Show a product.

    Args:
        currency: Three letters, as ISO 4217 has them.
    """
    if name not in PRODUCTS:
        raise NotFound(f"no product {name}")
    return PRODUCTS[name]
