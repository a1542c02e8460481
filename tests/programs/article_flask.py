"""The article's Flask sample: a view of a product's images, and what its five decorators did."""

from typing import Annotated

from kingpost import App, Blueprint, Header, NotFound, Struct, Unauthorized

images = Blueprint("images", prefix="/api")


class ProductImage(Struct):
    url: str


class StoredImage(ProductImage):
    """An image as we keep it."""

    bucket: str


class MissingProduct(NotFound):
    """There is no such product."""

    code = "missing-product"


PRODUCTS = {7: [StoredImage("/x.png", "cold"), StoredImage("/y.png", "warm")]}
TOKENS = {"Bearer 7f3a"}


def auth_required(authorization: Annotated[str, Header()] = "") -> None:
    if authorization not in TOKENS:
        raise Unauthorized("a token is needed", headers={"www-authenticate": "Bearer"})


def find_product(prod_id: int) -> list[StoredImage]:
    if prod_id not in PRODUCTS:
        raise MissingProduct(f"no product {prod_id}")
    return PRODUCTS[prod_id]


@images.get(
    "/{version}/products/{prod_id:int}/images",
    before=[auth_required],
    errors=[MissingProduct, Unauthorized],
)
def images_get(version: str, prod_id: int) -> list[ProductImage]:
    """Retrieves a list of product images.

    Args:
        prod_id: ID of a product
    """
    return [*find_product(prod_id)]


app = App()
app.include(images)
