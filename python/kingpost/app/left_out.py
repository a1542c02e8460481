"""What a host cannot serve of an App: told loudly when it starts there, and not only to the client who asks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kingpost.app.compiled import CompiledApp


def warn_of_websockets(compiled: CompiledApp) -> None:
    """WSGI has no word for WebSocket: names the routes whose handshakes will be answered with 501."""
    paths = [route.path for route in compiled.routes if route.entry.is_websocket]
    if paths:
        logging.getLogger("kingpost").warning(
            "WSGI has no WebSocket: %s will answer every handshake with 501 here; serve the App by `kingpost run`, or by a host that speaks ASGI",
            ", ".join(sorted(paths)),
        )
