"""`Cors`: which other sites' pages may read our answers (the Fetch standard, "CORS protocol").

Rule 1: origins are compared as they stand, character by character: never as patterns, never by their ends (CVE-2024-6221 and its kin).
Rule 2: credentials are never allowed to `*`, whose answers everybody may read.
Rule 3: the answer depends on `Origin`, so every answer says `Vary: Origin`, that to a request without one, too: a cache must not give one
site's permission to another.
Rule 4: errors carry the fields as well. A page that may not read a 422 sees "network error".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kingpost.errors import Forbidden
from kingpost.http.before_body import before_body
from kingpost.http.media_type import is_token
from kingpost.http.problem import problem_json
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.vary import add_vary
from kingpost.middleware.paths import checked_paths, is_below
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PREFLIGHT_VARY = ("origin", "access-control-request-method", "access-control-request-headers")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@before_body
class Cors:
    """Lets pages of other sites call this one, and read what it answers.

    It belongs on the App, not on a blueprint or a route: a browser asks for permission with OPTIONS, which no route of yours answers. `paths`
    says which part of the site it is for.

    Args:
        origins: Who may: `["https://app.example.org"]`, each as a browser writes it; `["*"]` for everybody.
        credentials: Whether cookies may be sent along. With it, the cross-site check of requests that change something lets these origins
            in.
        methods: What they may do.
        headers: Fields that they may send, beside those that need no permission; `["*"]` for any but Authorization, without credentials.
        expose: Fields of answers that their scripts may read, beside those that need no permission.
        max_age: Seconds for which a browser may remember the permission, 0 to 86,400. Browsers have bounds of their own, Chromium two
            hours.
        private_network: Whether pages from the internet may reach this server in a private network, where their browser asks.
        paths: The part of the site that is meant, by the beginnings of its paths.

    Raises:
        ConfigurationError: `cors.bad-origin`, `cors.credentials-for-all`, `cors.private-network-for-all`, `cors.bad-field`,
            `cors.bad-method`, `cors.bad-max-age` or `middleware.bad-path`.

    Example:
        `app.middleware(Cors(origins=["https://app.example.org"], credentials=True, paths=["/api"]))`
    """

    def __init__(
        self,
        *,
        origins: Sequence[str],
        credentials: bool = False,
        methods: Sequence[str] = METHODS,
        headers: Sequence[str] = ("authorization", "content-type"),
        expose: Sequence[str] = (),
        max_age: int = 600,
        private_network: bool = False,
        paths: Sequence[str] = ("/",),
    ) -> None:
        self._origins = checked_origins(origins)
        self.origins = tuple(origins)
        self.is_for_all = "*" in self._origins
        if self.is_for_all and credentials:
            raise refused(
                "cors.credentials-for-all",
                'Cors(origins=["*"], credentials=True) would let every page of the web read what a visitor sees when signed in',
                "name the origins, or leave credentials out",
            )
        if self.is_for_all and private_network:
            raise refused(
                "cors.private-network-for-all",
                'Cors(origins=["*"], private_network=True) would let every page of the web into a private network',
                "name the origins",
            )
        if "*" in headers and (credentials or len(headers) > 1):
            raise refused(
                "cors.bad-field",
                f"headers={list(headers)!r}: '*' stands alone, and with credentials a browser takes it for a field's name",
                "name the fields",
            )
        if not 0 <= max_age <= 86_400:
            raise refused(
                "cors.bad-max-age",
                f"max_age={max_age!r} is not from 0 to 86400 seconds",
                "write 600",
            )
        self._credentials = credentials
        self._credentials_field = (
            (("access-control-allow-credentials", "true"),) if credentials else ()
        )
        self._private_network = private_network
        self._paths = checked_paths(paths, option="paths")
        self._methods = ", ".join(checked_methods(methods))
        self._headers = ", ".join(checked_names("headers", headers))
        self._expose = ", ".join(checked_names("expose", expose))
        self._max_age = str(max_age)

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        if not is_below(request.path, self._paths):
            return await call_next(request)
        origin = request.headers.get("origin")
        if (
            request.method == "OPTIONS"
            and origin is not None
            and "access-control-request-method" in request.headers
        ):
            return self._preflight(request, origin)
        response = await call_next(request)
        if self.is_for_all:
            response.headers["access-control-allow-origin"] = "*"
        else:
            add_vary(response.headers, "origin")
            if origin is None or origin not in self._origins:
                return response
            self._allow(response, origin)
        if self._expose:
            response.headers["access-control-expose-headers"] = self._expose
        return response

    def __trusts__(self, request: Request) -> bool:
        """Whether a page of another site may do this in the name of the visitor: asked where the cross-site check would refuse."""
        return (
            self._credentials
            and request.headers.get("origin", "") in self._origins
            and is_below(request.path, self._paths)
        )

    def _preflight(self, request: Request, origin: str) -> Response[Any]:
        """The answer to what a browser asks before it sends the request itself (Fetch, "CORS-preflight fetch")."""
        if not self.is_for_all and origin not in self._origins:
            error = Forbidden("no page of that origin may call this", code="cors.not-allowed")
            refusal = Response(
                problem_json(error), status=403, media_type="application/problem+json"
            )
            add_vary(refusal.headers, *PREFLIGHT_VARY)
            return refusal
        response = Response(status=204)
        headers = response.headers
        if self.is_for_all:
            headers["access-control-allow-origin"] = "*"
        else:
            self._allow(response, origin)
        headers["access-control-allow-methods"] = self._methods
        if self._headers:
            headers["access-control-allow-headers"] = self._headers
        headers["access-control-max-age"] = self._max_age
        add_vary(headers, *PREFLIGHT_VARY)
        if request.headers.get("access-control-request-private-network") == "true":
            add_vary(headers, "access-control-request-private-network")
            if self._private_network:
                headers["access-control-allow-private-network"] = "true"
        return response

    def _allow(self, response: Response[Any], origin: str) -> None:
        headers = response.headers
        if "access-control-allow-origin" in headers:
            del headers["access-control-allow-origin"]
        # The origin is one of those that were checked when this was made.
        headers.fill((("access-control-allow-origin", origin), *self._credentials_field))


def checked_origins(origins: Sequence[str]) -> frozenset[str]:
    if isinstance(origins, str) or not origins:
        raise bad_origin(origins, 'write a list: origins=["https://app.example.org"]')
    if "*" in origins and len(origins) > 1:
        raise bad_origin(origins, "`*` is everybody: leave the others out, or `*`")
    for origin in origins:
        if origin != "*":
            check_origin(origin)
    return frozenset(origins)


def check_origin(origin: str) -> None:
    """Refuses what no browser would ever send (the URL standard, "serialization of an origin")."""
    if origin == "null":
        raise bad_origin(
            origin, "leave it out: every page can make itself that origin, with a sandboxed frame"
        )
    scheme, separator, host = origin.partition("://")
    if not separator or not scheme or not host:
        raise bad_origin(origin, 'write scheme and host, such as "https://app.example.org"')
    if "*" in origin:
        raise bad_origin(origin, "name each origin: they are compared as they stand")
    if "/" in host:
        raise bad_origin(origin, f'leave the path out: "{scheme}://{host.partition("/")[0]}"')
    if origin != origin.lower() or not origin.isascii() or any(mark in host for mark in "@?#\\ "):
        raise bad_origin(
            origin, "write it as a browser does: lower case, host names in ASCII (xn--…)"
        )
    port = DEFAULT_PORTS.get(scheme)
    if port is not None and host.endswith(port):
        raise bad_origin(origin, f'browsers leave the port out: "{origin.removesuffix(port)}"')


def bad_origin(origin: object, remedy: str) -> Exception:
    return refused("cors.bad-origin", f"origin {origin!r} can never match", remedy)


def checked_methods(methods: Sequence[str]) -> Sequence[str]:
    for method in (methods,) if isinstance(methods, str) else methods:
        if isinstance(methods, str) or not is_token(method) or method != method.upper():
            raise refused(
                "cors.bad-method",
                f"methods: {method!r} is none; methods are compared with their case",
                'write methods=["GET", "POST"]',
            )
    return methods


def checked_names(option: str, names: Sequence[str]) -> Sequence[str]:
    for name in (names,) if isinstance(names, str) else names:
        if isinstance(names, str) or not is_token(name):
            raise refused(
                "cors.bad-field",
                f"{option}: {name!r} is no field's name",
                f'write {option}=["x-total"]',
            )
    return [name.lower() for name in names]
