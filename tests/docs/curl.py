"""As much of `curl` as the pages use, so that the tests need no such program and no certain version of it."""

from __future__ import annotations

import argparse
import http.client
import shlex
import socket
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.conformance.http2.client import Client
from tests.waiting import PATIENCE

_OPTIONS = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
_OPTIONS.add_argument("url")
_OPTIONS.add_argument("-i", dest="shows_head", action="store_true")
_OPTIONS.add_argument("-I", dest="head_only", action="store_true")
_OPTIONS.add_argument("-N", dest="unbuffered", action="store_true")
_OPTIONS.add_argument("-X", dest="method")
_OPTIONS.add_argument("-H", dest="headers", action="append", default=[])
_OPTIONS.add_argument("-d", "--data", "--data-binary", dest="data")
_OPTIONS.add_argument("--json")
_OPTIONS.add_argument("-F", dest="parts", action="append", default=[])
_OPTIONS.add_argument("-T", dest="upload")
_OPTIONS.add_argument("-o", dest="output")
_OPTIONS.add_argument("--unix-socket", dest="path")
_OPTIONS.add_argument("--http2-prior-knowledge", dest="is_http2", action="store_true")


BOUNDARY = "between-two-parts"
KINDS = {".png": "image/png", ".txt": "text/plain"}
"""What curl takes a file for, by its ending."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP through a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def curl(command: str) -> str:
    """What a curl command prints."""
    options = _OPTIONS.parse_args(shlex.split(command)[1:])
    url = urlsplit(options.url)
    body, headers = _body(options), {"accept": "*/*"}
    if options.json is not None:
        headers = {"accept": "application/json", "content-type": "application/json"}
    elif options.parts:
        headers["content-type"] = f"multipart/form-data; boundary={BOUNDARY}"
    elif options.data is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
    headers.update(header.lower().split(": ", 1) for header in options.headers)
    method = (
        "HEAD"
        if options.head_only
        else "GET"
        if body is None
        else "PUT"
        if options.upload
        else "POST"
    )
    target = quote(f"{url.path or '/'}?{url.query}".rstrip("?"), safe="/?&=%:,;+*-._~")
    if options.is_http2:
        with Client(url.port or 80) as client:
            return client.get(target).body.decode()
    connection = (
        UnixConnection(options.path)
        if options.path
        else http.client.HTTPConnection(url.netloc, timeout=PATIENCE)
    )
    with closing(connection):
        connection.request(options.method or method, target, body, headers)
        answer = connection.getresponse()
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders()]
        text = answer.read().decode()
    if options.output:
        Path(options.output).write_text(text, encoding="utf-8")
        return ""
    return "\n".join([*lines, "", text]) if options.shows_head or options.head_only else text


def _body(options: argparse.Namespace) -> bytes | None:
    if options.parts:
        return b"".join(map(_part, options.parts)) + f"--{BOUNDARY}--\r\n".encode()
    given: str | None = options.json if options.json is not None else options.data
    if options.upload:
        return Path(options.upload).read_bytes()
    if given is not None and given.startswith("@"):
        return Path(given[1:]).read_bytes()
    return None if given is None else given.encode()


def _part(given: str) -> bytes:
    """A field of a form: `name=text`, or `name=@file`."""
    name, _, value = given.partition("=")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if not value.startswith("@"):
        return f"{head}\r\n\r\n{value}\r\n".encode()
    file = Path(value[1:])
    kind = KINDS.get(file.suffix, "application/octet-stream")
    head += f'; filename="{file.name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + file.read_bytes() + b"\r\n"
