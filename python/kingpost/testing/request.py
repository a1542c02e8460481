"""What a test sends: keyword arguments in, the bytes of a request out."""

from __future__ import annotations

import json as json_module
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict, cast
from urllib.parse import quote, urlencode, urljoin, urlsplit

Scalar: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, Scalar | Sequence[Scalar]] | Sequence[tuple[str, Scalar]]
HeaderFields: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]
File: TypeAlias = bytes | tuple[str, bytes] | tuple[str, bytes, str]
"""What is uploaded: its bytes; or its name, its bytes and, if it matters, its content type."""
Files: TypeAlias = Mapping[str, File | Sequence[File]] | Sequence[tuple[str, File]]
Content: TypeAlias = bytes | str | Iterable[bytes] | AsyncIterable[bytes]

_BOUNDARY = "kingpost-test-7d1b0a6c9f"

# What a path or query may hold unescaped, and the percent sign: an escape that is there stays as it is (RFC 3986).
_SAFE = "/:?#[]@!$&'()*+,;=%~-._"


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of every request.

    Attributes:
        params: Query parameters, after those in the address; a list gives a name several times, None leaves it out.
        headers: Header fields on top of the client's; a pair for each where a name comes twice.
        cookies: Cookies for this request alone.
        json: A value to send as JSON.
        form: Names and values to send as a form (application/x-www-form-urlencoded).
        files: Files to send as a form (multipart/form-data), together with those of `form`: `{"picture": ("me.png", data)}`; a list sends
            several under one name.
        content: A body: bytes, text (sent as UTF-8), or an iterable of bytes, which is streamed.
        follow_redirects: Instead of what the client does.
        raise_errors: Instead of what the client does.
        timeout: Seconds without a sign of the answer before TimeoutError, > 0; None waits for ever.
    """

    params: Params
    headers: HeaderFields
    cookies: Mapping[str, str]
    json: Any
    form: Params
    files: Files
    content: Content
    follow_redirects: bool
    raise_errors: bool
    timeout: float | None


_KNOWN = frozenset(RequestOptions.__optional_keys__)
_ALIKE = {
    "data": "form",
    "body": "content",
    "query": "params",
    "allow_redirects": "follow_redirects",
}


def check_options(options: Mapping[str, object]) -> None:
    """Refuses keyword arguments that do not exist, with the name that was probably meant.

    Raises:
        TypeError: one does not exist, or two describe one body.
    """
    for name in options:
        if name not in _KNOWN:
            meant = _ALIKE.get(name)
            hint = (
                f"; did you mean {meant}=?" if meant else f"; there are {', '.join(sorted(_KNOWN))}"
            )
            raise TypeError(f"{name}= is not an argument of a test request{hint}")
    bodies = [name for name in ("json", "form", "content") if name in options]
    if "files" in options and "form" not in bodies:
        bodies.append("files")
    if len(bodies) > 1:
        raise TypeError(
            f"a request has one body: {' and '.join(f'{name}=' for name in bodies)} were given"
        )


@dataclass(slots=True)
class WireRequest:
    """One request, ready to be sent."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    head: bytes
    """Request line and fields with the empty line."""
    body: bytes | Iterable[bytes] | AsyncIterable[bytes]
    """Whole, or in pieces that are sent as chunks."""
    framing: Literal["none", "length", "chunked"]


def make_request(
    method: str,
    url: str,
    options: RequestOptions,
    *,
    host: str,
    headers: Sequence[tuple[str, str]],
    cookie: str,
) -> WireRequest:
    """The request that these arguments describe; they were checked by `check_options`.

    Raises:
        ValueError: something in it cannot be sent.
    """
    if not method.isascii() or not method.isalpha():
        raise ValueError(f"{method!r} is not a method")
    target = with_params(path_of(url), options.get("params"))
    fields = merge(headers, pairs_of(options.get("headers", ())))
    names = {name.lower() for name, _ in fields}
    body, kind, framing = _body(method, options)
    if "host" not in names:
        fields.insert(0, ("host", host))
    own = "; ".join(f"{name}={value}" for name, value in options.get("cookies", {}).items())
    if cookie or own:
        fields.append(("cookie", "; ".join(filter(None, (cookie, own)))))
    if kind and "content-type" not in names:
        fields.append(("content-type", kind))
    if framing == "chunked":
        fields.append(("transfer-encoding", "chunked"))
    elif framing == "length" and isinstance(body, bytes) and "content-length" not in names:
        fields.append(("content-length", str(len(body))))
    lines = [
        f"{method.upper()} {target} HTTP/1.1",
        *(f"{name}: {_checked(name, value)}" for name, value in fields),
    ]
    return WireRequest(
        method.upper(), target, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body, framing
    )


def path_of(url: str) -> str:
    """Path and query of an address on the tested site, percent-encoded.

    Raises:
        ValueError: it begins with neither "/" nor a scheme.
    """
    if url == "*":
        return url
    parts = urlsplit(url)
    if not parts.scheme and not url.startswith("/"):
        raise ValueError(f"{url!r} is not an address: it begins with '/', such as '/{url}'")
    path = parts.path or "/"
    # "//x" begins a path here; only an address with a scheme names a host.
    if not parts.scheme and parts.netloc:
        path = "//" + parts.netloc + parts.path
    return quote(f"{path}?{parts.query}" if parts.query else path, safe=_SAFE)


def with_params(target: str, params: Params | None) -> str:
    """`target` with query parameters after those that it has."""
    if not params:
        return target
    text = urlencode(_flat(params))
    if not text:
        return target
    return f"{target}{'&' if '?' in target else '?'}{text}"


def redirect_target(target: str, location: str, host: str) -> str:
    """Where a Location field leads from `target`.

    Raises:
        ValueError: to another site, which is not under test.
    """
    joined = urljoin(f"http://{host}{target}", location)
    parts = urlsplit(joined)
    if parts.netloc != host:
        raise ValueError(
            f"the redirect to {location!r} leaves the site {host}: use follow_redirects=False and look at it"
        )
    return path_of(joined)


def pairs_of(fields: HeaderFields) -> list[tuple[str, str]]:
    """Fields as pairs, whichever way they were given."""
    return list(fields.items() if isinstance(fields, Mapping) else fields)


def merge(
    base: Sequence[tuple[str, str]], more: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """`base` without the names that `more` sets, then `more`."""
    named = {name.lower() for name, _ in more}
    return [*((name, value) for name, value in base if name.lower() not in named), *more]


def _flat(params: Params) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in params.items() if isinstance(params, Mapping) else params:
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        flat += [(name, _text(one)) for one in several if one is not None]
    return flat


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(
    method: str, options: RequestOptions
) -> tuple[
    bytes | Iterable[bytes] | AsyncIterable[bytes], str, Literal["none", "length", "chunked"]
]:
    if "json" in options:
        return _json(options["json"]), "application/json", "length"
    if "files" in options:
        body = _multipart(_flat(options.get("form", ())), options["files"])
        return body, f"multipart/form-data; boundary={_BOUNDARY}", "length"
    if "form" in options:
        return (
            urlencode(_flat(options["form"])).encode(),
            "application/x-www-form-urlencoded",
            "length",
        )
    content = options.get("content", b"")
    if isinstance(content, str):
        return content.encode(), "text/plain; charset=utf-8", "length"
    if isinstance(content, bytes | bytearray | memoryview):
        # A method that means a body says so even when it is empty (RFC 9110 section 8.6).
        expects = bool(content) or method.upper() in ("POST", "PUT", "PATCH")
        return bytes(content), "", "length" if expects else "none"
    return content, "", "chunked"


def _multipart(fields: Sequence[tuple[str, str]], files: Files) -> bytes:
    body = b"".join(_part(name, value.encode()) for name, value in fields)
    for name, given in files.items() if isinstance(files, Mapping) else files:
        several = given if isinstance(given, list) else [given]
        for file in cast("Sequence[File]", several):
            body += _file(name, file)
    return body + f"--{_BOUNDARY}--\r\n".encode()


def _file(name: str, file: File) -> bytes:
    if isinstance(file, bytes):
        return _part(name, file, name, "application/octet-stream")
    kind = file[2] if len(file) == 3 else "application/octet-stream"
    return _part(name, file[1], file[0], kind)


def _part(name: str, content: bytes, filename: str | None = None, kind: str = "") -> bytes:
    if _BOUNDARY.encode() in content:
        raise ValueError(f"{name!r} has the boundary of test forms in it, {_BOUNDARY!r}")
    head = f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        head += f'; filename="{_quoted(filename)}"\r\ncontent-type: {_checked(name, kind)}'
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def _quoted(text: str) -> str:
    """As browsers write names (WHATWG HTML, the multipart/form-data encoding algorithm)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _json(value: object) -> bytes:
    try:
        return json_module.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except TypeError:
        # Structs, dataclasses, dates: what a handler would be given as well.
        import msgspec

        return msgspec.json.encode(value)


def _checked(name: str, value: str) -> str:
    if any(character in "\r\n\0" for character in name + value):
        raise ValueError(
            f"header {name!r}: a line break or NUL cannot be sent; use client.raw() to try what a server does"
        )
    return value
