"""The article's Flask sample: a view of a product's images, in a blueprint."""

from kingpost import App, Blueprint, NotFound, Struct

images = Blueprint("images", prefix="/api")


class ProductImage(Struct):
    url: str


class MissingProduct(NotFound):
    code = "missing-product"


PRODUCTS = {7: [ProductImage(url="/x.png"), ProductImage(url="/y.png")]}


@images.get("/{version}/products/{prod_id:int}/images", errors=[MissingProduct])
def images_get(version: str, prod_id: int) -> list[ProductImage]:
    """Retrieves a list of product images."""
    if prod_id not in PRODUCTS:
        raise MissingProduct(f"no product {prod_id} in {version}")
    return PRODUCTS[prod_id]


app = App()
app.include(images)
