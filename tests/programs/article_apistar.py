"""The article's API Star sample: a schema on a view."""

from __future__ import annotations

from typing import Annotated, Literal

from kingpost import App, Meta, Struct

app = App()


class Product(Struct, kw_only=True):
    name: Annotated[str, Meta(max_length=100)]
    rating: Annotated[int, Meta(ge=1, le=5)]
    in_stock: bool = False
    size: Literal["small", "medium", "large"]


@app.post("/create_product/", status=201)
async def create_product(product: Product) -> Product:
    return product
