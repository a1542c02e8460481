"""Datasette, on a database of its own."""

import os
from typing import Any

from datasette.app import Datasette


def make() -> Any:
    """The application of one file."""
    return Datasette([os.environ["GRID_TABLES"]], settings={"default_page_size": 5}).app()
