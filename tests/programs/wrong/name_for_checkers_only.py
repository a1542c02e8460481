# refused at start-up: binding.unresolved-name: import Decimal outside of `if TYPE_CHECKING:`
from __future__ import annotations

from typing import TYPE_CHECKING

from kingpost import App

if TYPE_CHECKING:
    from decimal import Decimal

app = App()


@app.get("/")
def price(least: Decimal) -> str:
    return ""
