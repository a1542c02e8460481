"""How a test client is made, sync or async."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kingpost.testing.cookies import CookieJar
from kingpost.testing.core import ClientCore
from kingpost.testing.request import HeaderFields

if TYPE_CHECKING:
    from kingpost.app.application import App


class ClientFace:
    """What both test clients are besides their verbs; `TestClient` says what the arguments are."""

    __test__ = False  # not a class of tests, whatever the names of its subclasses say to pytest

    def __init__(
        self,
        app: App,
        *,
        host: str = "localhost",
        headers: HeaderFields = (),
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = False,
        raise_errors: bool = True,
        timeout: float | None = 30.0,
    ) -> None:
        self._core = ClientCore(
            app,
            host=host,
            headers=headers,
            cookies=cookies or {},
            follow_redirects=follow_redirects,
            raise_errors=raise_errors,
            timeout=timeout,
        )
        self._is_closed = False

    @property
    def cookies(self) -> CookieJar:
        """The cookies that are kept between requests."""
        return self._core.jar
