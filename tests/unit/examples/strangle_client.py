"""Runs the tests of a Django project with a client that goes through our server: `python strangle_client.py` in the project's folder.

The server runs in a thread of the same process and shares the tests' connection to the database, as Django's own live server does; so the
tests see it in its transaction, and see the contexts of the templates that the server renders.
"""

import http.client
import sys
from typing import Any
from urllib.parse import quote

sys.path.insert(0, "")

from app import app  # the project's own, in the working folder
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.http import HttpResponse
from django.test.client import Client
from django.test.runner import DiscoverRunner

from kingpost.testing import LiveServer

SERVED: list[str] = []
"""The paths that went through the server."""


TOKEN = "a" * 32


class ThroughServer:
    """What the test client calls in place of Django's own handler."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, environ: dict[str, Any]) -> HttpResponse:
        target = quote(environ["PATH_INFO"].encode("latin-1"))
        if environ.get("QUERY_STRING"):
            target += f"?{environ['QUERY_STRING']}"
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and value
        }
        # Django's own client has the check for forgery left out; this one passes it, as a page does.
        cookies = [headers["COOKIE"]] if "COOKIE" in headers else []
        headers["COOKIE"] = "; ".join([*cookies, f"csrftoken={TOKEN}"])
        headers["X-CSRFToken"] = TOKEN
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        caller = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        caller.request(environ["REQUEST_METHOD"], target, body, {**headers, "Host": "testserver"})
        answer = caller.getresponse()
        response = HttpResponse(answer.read(), status=answer.status)
        for name, value in answer.getheaders():
            if name.lower() != "set-cookie":
                response[name] = value
            else:
                response.cookies.load(value)
        caller.close()
        if "Location" in response:
            response.url = response["Location"]
        response.wsgi_request = WSGIRequest(environ)  # what the client looks for
        SERVED.append(target)
        return response


def share(shared: Any) -> None:
    """Every thread that serves a request uses the tests' connection."""

    def lend(**_: Any) -> None:
        connections["default"] = shared

    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    request_started.connect(lend, weak=False)
    shared.inc_thread_sharing()


class Runner(DiscoverRunner):
    """Runs the tests while the server runs."""

    def run_suite(self, suite: Any, **options: Any) -> Any:
        """All tests, through our server."""
        share(connections["default"])
        with LiveServer(app) as server:
            made = Client.__init__

            def make(client: Any, *arguments: Any, **named: Any) -> None:
                made(client, *arguments, **named)
                client.handler = ThroughServer(server.port)

            Client.__init__ = make  # for as long as this program runs
            return super().run_suite(suite, **options)


if __name__ == "__main__":
    failures = Runner(verbosity=2, interactive=False).run_tests(["polls"])
    sys.stdout.write(f"{len(SERVED)} requests went through the server\n")
    sys.exit(bool(failures))
