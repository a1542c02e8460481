"""`BrowserAssets`: what pages of many sites need, and Kingpost brings along."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kingpost.errors import ConfigurationError
from kingpost.staticfiles.static import BROUGHT_ALONG, Static
from kingpost.types import Place

FOLDER: Final = Path(__file__).with_name("packed")
"""Where they lie. They are fetched when Kingpost is built (see tools/assets.py), and are part of its wheels."""


class BrowserAssets(Static):
    """htmx, a style sheet for pages without classes, and icons, served from the site itself.

    `static("htmx.js")` in a template, and `static_url("htmx.js")`, are their addresses, with digests: browsers keep them for ever. A file of
    the same name in a `Static` that is included before takes its place. An App that does not include this pays nothing for it.

    | name | what it is |
    |---|---|
    | `htmx.js` | [htmx](https://htmx.org) 4, 37 KB |
    | `simple.css` | [Simple.css](https://simplecss.org), 9 KB: plain HTML that looks good, light and dark |
    | `icons.svg` | 17 of the [Heroicons](https://heroicons.com), 6 KB: `<svg><use href="{{ static('icons.svg') }}#check"/></svg>` |

    Their licences lie beside them, as `htmx.LICENSE.txt` and so on.

    Args:
        path: Begins with a slash.
        name: Stands before the names of its routes.

    Raises:
        ConfigurationError: `static.no-assets`: this Kingpost was built without them.
        RoutingError: The path or the name cannot work.

    Example:
        ```python
        from kingpost import App
        from kingpost.staticfiles import BrowserAssets

        app = App()
        app.include(BrowserAssets())
        ```
    """

    def __init__(self, path: str = "/assets", *, name: str = "assets") -> None:
        missing = [each for each in sorted(BROUGHT_ALONG) if not (FOLDER / each).is_file()]
        if missing:
            raise ConfigurationError(
                f"this Kingpost was built without {', '.join(missing)}",
                code="static.no-assets",
                remedy="install a wheel that `./dev wheels` made; "
                "in a clone that is installed as it is, `python3 -m tools.assets` fetches them",
                places=[Place.of_caller()],
            )
        super().__init__(path, FOLDER, name=name, index=None)
