"""`Csrf`: tokens against cross-site request forgery, for browsers that do not say which page asks.

Every App refuses unsafe requests with what browsers send by themselves (cookies, a name and password) that `Sec-Fetch-Site` or `Origin`
show to come from another site; browsers since 2020 send both. What sends neither is no browser, or an old one, and that is what tokens are for.

Rule 1: a token is the signed double submit of OWASP: a MAC of what stands in a cookie, so that whoever can plant cookies cannot make the
token that belongs to them.
Rule 2: bound to the session where there is one: another session, another token.
Rule 3: masked anew for each answer, so that its length after compression tells nothing (BREACH, CVE-2013-3587).
Rule 4: compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from kingpost.errors import Forbidden, HTTPError
from kingpost.http.credentials import SAFE_METHODS, has_credentials
from kingpost.http.media_type import FORM_TYPES, is_token
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.vary import add_vary
from kingpost.middleware.paths import checked_paths, is_below
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext
from kingpost.settings import Secret

SHORTEST: Final = 32
"""Characters of a key."""

_SIZE = 32
_STATE = "csrf"
# Names what the key is used for, with its length: no other use of the key makes the same MAC.
_PURPOSE = b"\x0fkingpost.csrf.1"


class State:
    """What is known of a request's token.

    Attributes:
        make: gives a token, masked anew.
        bound_to: what the token belongs to: the session's cookie, or a secret of our own.
        is_new: the secret was made for this request and must become a cookie.
        is_sent: the head of the answer is made; cookies come too late.
        was_used: a token was asked for.
    """

    __slots__ = ("bound_to", "is_new", "is_sent", "make", "was_used")

    def __init__(self, make: Callable[[State], str], bound_to: str) -> None:
        self.make = make
        self.bound_to = bound_to
        self.is_new = False
        self.is_sent = False
        self.was_used = False


class Csrf:
    """Asks for a token with unsafe requests that carry what browsers send by themselves and do not say which page they come from.

    That is cookies, and an `Authorization` other than `Bearer`: programs with a name and a password need `except_for`.

    Pages put it into their forms, `<input type="hidden" name="csrf_token" value="…">` with `csrf_token(request)`, or their scripts into the
    field `x-csrf-token`.

    Args:
        key: What tokens are signed with, at least 32 characters; of several the first signs, and the others are still taken.
        always: Ask for the token with every unsafe request, also of browsers that say which page asks, and without credentials: a form that
            signs a visitor in is protected, too. Programs that are no browsers need `except_for` then.
        session_cookie: The name of the cookie that signs a visitor in; the token belongs to it. Without one, or before there is a session, a
            cookie with a random secret takes its place.
        cookie: The name of that cookie; over https `__Host-` stands before it.
        field: The name in forms.
        header: The name of the field that scripts send.
        except_for: Parts of the site that need no token, by the beginnings of their paths: those that other programs call.

    Raises:
        ConfigurationError: `csrf.weak-key`, `csrf.bad-name`, `middleware.bad-path`.

    A request without the right token is refused with 403 (codes `csrf.no-token`, `csrf.wrong-token`).

    Example:
        `app.middleware(Csrf(settings.secret_key, session_cookie="session"))`
    """

    def __init__(
        self,
        key: str | Secret[str] | Sequence[str | Secret[str]] | None,
        *,
        always: bool = False,
        session_cookie: str | None = None,
        cookie: str = "csrf",
        field: str = "csrf_token",
        header: str = "x-csrf-token",
        except_for: Sequence[str] = (),
    ) -> None:
        self._keys = checked_keys(key)
        for name in (cookie, header, session_cookie or "session"):
            if not is_token(name):
                raise refused("csrf.bad-name", f"{name!r} is no name", 'write such as "csrf"')
        self._always = always
        self._session = session_cookie
        self._cookie = cookie
        self._field = field
        self._header = header
        self._exempt = checked_paths(except_for, option="except_for")

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        state = State(self._token, self._bound_to(request))
        request.cache[_STATE] = state
        if self._asks(request):
            self._check(request, state)
        response = await call_next(request)
        state.is_sent = True
        if state.was_used:
            # A page with a token is one visitor's.
            add_vary(response.headers, "cookie")
        if state.is_new:
            secure = request.scheme == "https"
            response.set_cookie(
                self._cookie_name(request), state.bound_to[1:], secure=secure, same_site="lax"
            )
        return response

    def _token(self, state: State) -> str:
        if not state.bound_to:
            if state.is_sent:
                raise RuntimeError(
                    "csrf_token(request): the answer has begun, and its cookie comes too late; ask before the first chunk of a stream"
                )
            state.bound_to = "c" + encoded(os.urandom(_SIZE))
            state.is_new = True
        state.was_used = True
        mask = os.urandom(_SIZE)
        return encoded(mask + xor(mask, mac(self._keys[0], state.bound_to)))

    def _cookie_name(self, request: Request) -> str:
        # A cookie with this prefix cannot be planted by a neighbouring host, nor over http (RFC 6265bis section 4.1.3.2).
        return f"__Host-{self._cookie}" if request.scheme == "https" else self._cookie

    def _bound_to(self, request: Request) -> str:
        cookies = request.cookies
        session = "" if self._session is None else cookies.get(self._session, "")
        if session:
            return "s" + session
        # One letter apart, so that a planted cookie cannot pass for a session.
        own = cookies.get(self._cookie_name(request), "")
        return "c" + own if own else ""

    def _asks(self, request: Request) -> bool:
        headers = request.headers
        if request.method in SAFE_METHODS or is_below(request.path, self._exempt):
            return False
        if self._always:
            return True
        return (
            has_credentials(request) and "sec-fetch-site" not in headers and "origin" not in headers
        )

    def _check(self, request: Request, state: State) -> None:
        sent = request.headers.get(self._header) or self._in_form(request)
        if not sent:
            raise Forbidden(
                f"send the token of the page, as {self._field} of the form or in {self._header}",
                code="csrf.no-token",
            )
        if not state.bound_to or not self._is_right(sent, state.bound_to):
            raise Forbidden(
                "the token is of another session; load the page again", code="csrf.wrong-token"
            )

    def _in_form(self, request: Request) -> str | None:
        media_type = request.content_type
        if media_type is None or media_type.essence not in FORM_TYPES or request.stream is not None:
            return None
        try:
            return request.form().get(self._field)
        except HTTPError:
            # The handler's to refuse, in its own words; here it is a request without a token.
            return None

    def _is_right(self, token: str, bound_to: str) -> bool:
        data = decoded(token)
        if len(data) != 2 * _SIZE:
            return False
        sent = xor(data[:_SIZE], data[_SIZE:])
        return any([hmac.compare_digest(sent, mac(key, bound_to)) for key in self._keys])  # noqa: C419 - all of them, for their time


def csrf_token(request: Request) -> str:
    """A token for the forms of a page, another one at each call; all of them stay right as long as the visitor's session.

    Raises:
        RuntimeError: There is no `Csrf` around this route, or the answer has begun and no cookie can be set any more.
    """
    state: State | None = request.cache.get(_STATE)
    if state is None:
        raise RuntimeError(
            "csrf_token(request): nothing would ask for it; register app.middleware(Csrf(…))"
        )
    return state.make(state)


def checked_keys(
    key: str | Secret[str] | Sequence[str | Secret[str]] | None,
) -> tuple[bytes, ...]:
    several = [key] if isinstance(key, str | Secret) else list(key or ())
    plain = [each.reveal() if isinstance(each, Secret) else each for each in several]
    if not plain or any(len(each) < SHORTEST for each in plain):
        raise refused(
            "csrf.weak-key",
            f"a key that tokens are signed with has at least {SHORTEST} characters",
            "make one with python -c 'import secrets; print(secrets.token_urlsafe(48))' and keep it in the settings",
        )
    return tuple(each.encode() for each in plain)


def mac(key: bytes, bound_to: str) -> bytes:
    return hmac.digest(key, _PURPOSE + bound_to.encode(), hashlib.sha256)


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes; b"" for what is not in the alphabet, or too long."""
    if len(text) > 128 or not text.isascii():
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
