"""Who is measured, and how each is started.

One worker each, uvloop and the C parser where it has them, no access log. Nobody is held back: the
settings are those that each one's own documentation recommends for speed.
"""

from dataclasses import dataclass

from harness.builds import Environment, EpollLimit, Installed, Kingpost, RustLimit, Source

GRANIAN = (
    *("{bin}/granian", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
    *("--runtime-threads", "1", "--blocking-threads", "1", "--loop", "uvloop", "--http", "1"),
    *("--no-ws", "--no-access-log", "--log-level", "warning"),
    *("--backlog", "16384", "--backpressure", "16384", "--http1-pipeline-flush"),
)
UVICORN = (
    *("{python}", "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--loop", "uvloop"),
    *("--http", "httptools", "--ws", "none", "--no-access-log", "--log-level", "warning"),
    *("--backlog", "4096", "--timeout-keep-alive", "300"),
)
GUNICORN = (
    *("{bin}/gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "1", "--timeout", "0"),
    *("--worker-class", "gthread", "--threads", "4", "--keep-alive", "75"),
    *("--log-level", "warning"),
)
FAST_LOOP = ("uvloop", "httptools")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server, alone or under a framework."""

    name: str
    label: str
    source: Source
    command: tuple[str, ...]  # with {python}, {bin} or {program}, and {port}
    shows: tuple[str, ...] = ()  # distributions whose versions the report names
    imports: str = ""  # what every program that uses it begins with
    answers_json: bool = True  # False: it knows the plaintext answer alone
    by_tls: bool = False  # its command has {certificate} and {key}, too


PEERS = (
    Peer(
        "kingpost",
        "Kingpost",
        Kingpost(),
        ("{bin}/kingpost", "run", "kingpost_app.py", "--port", "{port}"),
        ("kingpost", "uvloop", "msgspec"),
        "from kingpost import App",
    ),
    Peer(
        "kingpost-workers",
        "Kingpost, four workers",
        Kingpost(),
        ("{bin}/kingpost", "run", "kingpost_app.py", "--port", "{port}", "--workers", "4"),
    ),
    Peer(
        "kingpost-asgi",
        "Kingpost, bare ASGI",
        Kingpost(),
        ("{bin}/kingpost", "run", "asgi_app:app", "--port", "{port}"),
        ("kingpost", "uvloop"),
    ),
    Peer(
        "kingpost-wsgi",
        "Kingpost, bare WSGI",
        Kingpost(),
        ("{bin}/kingpost", "run", "wsgi_app:app", "--port", "{port}"),
        ("kingpost", "uvloop"),
    ),
    Peer(
        "kingpost-websocket",
        "Kingpost",
        Kingpost(),
        ("{bin}/kingpost", "run", "kingpost_websocket_app.py", "--port", "{port}"),
        ("kingpost", "uvloop"),
    ),
    Peer(
        "kingpost-tls",
        "Kingpost, HTTPS",
        Kingpost(),
        (
            *("{bin}/kingpost", "run", "kingpost_app.py", "--port", "{port}"),
            *("--tls-cert", "{certificate}", "--tls-key", "{key}"),
        ),
        ("kingpost", "uvloop"),
        by_tls=True,
    ),
    Peer(
        "epoll",
        "raw epoll in C (the kernel)",
        EpollLimit(),
        ("{program}", "{port}"),
        answers_json=False,
    ),
    Peer(
        "rust",
        "our engine in Rust (the limit)",
        RustLimit(),
        ("{program}", "--port", "{port}"),
        answers_json=False,
    ),
    Peer(
        "japronto",
        "Japronto (Python 3.6)",
        # It asks for an older uvloop in its pins, and runs on the last one for Python 3.6.
        Environment(
            "japronto", ("japronto==0.1.2", "uvloop==0.14.0"), dependencies=False, python="3.6"
        ),
        ("{python}", "japronto_app.py", "{port}"),
        ("japronto", "uvloop"),
        "from japronto import Application",
    ),
    Peer(
        "socketify",
        "socketify",
        Environment("socketify", ("socketify", "setuptools", "msgspec")),
        ("{python}", "socketify_app.py", "{port}"),
        ("socketify",),
    ),
    Peer(
        "fastpysgi",
        "FastPySGI, bare WSGI",
        Environment("fastpysgi", ("fastpysgi", "msgspec")),
        ("{python}", "wsgi_app.py", "{port}"),
        ("fastpysgi",),
    ),
    Peer(
        "fastpysgi-falcon",
        "Falcon on FastPySGI",
        Environment("fastpysgi-falcon", ("fastpysgi", "falcon", "msgspec")),
        ("{python}", "falcon_app.py", "{port}"),
        ("falcon", "fastpysgi", "msgspec"),
    ),
    Peer(
        "granian-rsgi",
        "Granian, bare RSGI",
        Environment("granian", ("granian", "uvloop", "msgspec")),
        (*GRANIAN, "--interface", "rsgi", "rsgi_app:app"),
        ("granian", "uvloop"),
    ),
    Peer(
        "granian-http2",
        "Granian, bare RSGI, HTTP/2 too",
        Environment("granian", ("granian", "uvloop", "msgspec")),
        # HTTP/1.1 is what answers are compared by.
        (*GRANIAN, "--http", "auto", "--interface", "rsgi", "rsgi_app:app"),
        ("granian", "uvloop"),
    ),
    Peer(
        "granian-websocket",
        "Granian, bare RSGI",
        Environment("granian", ("granian", "uvloop", "msgspec")),
        (*GRANIAN, "--ws", "--interface", "rsgi", "rsgi_app:app"),
        ("granian", "uvloop"),
    ),
    Peer(
        "granian-tls",
        "Granian, bare RSGI, HTTPS",
        Environment("granian", ("granian", "uvloop", "msgspec")),
        (
            *(*GRANIAN, "--ssl-certificate", "{certificate}", "--ssl-keyfile", "{key}"),
            *("--interface", "rsgi", "rsgi_app:app"),
        ),
        ("granian", "uvloop"),
        by_tls=True,
    ),
    Peer(
        "granian-asgi",
        "Granian, bare ASGI",
        Environment("granian", ("granian", "uvloop", "msgspec")),
        (*GRANIAN, "--interface", "asginl", "asgi_app:app"),
        ("granian", "uvloop"),
    ),
    Peer(
        "granian-wsgi",
        "Granian, bare WSGI",
        Environment("granian", ("granian", "uvloop", "msgspec")),
        (*GRANIAN, "--interface", "wsgi", "wsgi_app:app"),
        ("granian",),
    ),
    Peer(
        "gunicorn",
        "gunicorn gthread, bare WSGI",
        Environment("gunicorn", ("gunicorn", "msgspec")),
        (*GUNICORN, "wsgi_app:app"),
        ("gunicorn",),
    ),
    Peer(
        "uvicorn",
        "uvicorn, bare ASGI",
        Environment("uvicorn", ("uvicorn", "msgspec", *FAST_LOOP)),
        (*UVICORN, "--lifespan", "off", "asgi_app:app"),
        ("uvicorn", *FAST_LOOP),
        "import uvicorn",
    ),
    Peer(
        "uvicorn-websocket",
        "uvicorn with websockets, bare ASGI",
        Environment("uvicorn-websocket", ("uvicorn", "websockets", "msgspec", *FAST_LOOP)),
        (*UVICORN, "--ws", "websockets-sansio", "--lifespan", "off", "asgi_app:app"),
        ("uvicorn", "websockets", *FAST_LOOP),
    ),
    Peer(
        "websockets",
        "websockets alone",
        Environment("websockets", ("websockets", "uvloop")),
        ("{python}", "websockets_app.py", "{port}"),
        ("websockets", "uvloop"),
    ),
    Peer(
        "picows",
        "picows, async for",
        Environment("picows", ("picows", "uvloop")),
        ("{python}", "picows_app.py", "iterator", "{port}"),
        ("picows", "uvloop"),
    ),
    Peer(
        "picows-callbacks",
        "picows, callbacks without a task",
        Environment("picows", ("picows", "uvloop")),
        ("{python}", "picows_app.py", "callbacks", "{port}"),
        ("picows", "uvloop"),
    ),
    Peer(
        "starlette",
        "Starlette on uvicorn",
        Environment("starlette", ("starlette", "uvicorn", *FAST_LOOP)),
        (*UVICORN, "starlette_app:app"),
        ("starlette", "uvicorn", *FAST_LOOP),
        "from starlette.applications import Starlette",
    ),
    Peer(
        "fastapi",
        "FastAPI on uvicorn",
        Environment("fastapi", ("fastapi", "uvicorn", *FAST_LOOP)),
        (*UVICORN, "fastapi_app:app"),
        ("fastapi", "pydantic", "uvicorn", *FAST_LOOP),
        "from fastapi import FastAPI",
    ),
    Peer(
        "blacksheep",
        "BlackSheep on Granian",
        Environment("blacksheep", ("blacksheep", "pydantic", "orjson", "granian", "uvloop")),
        (*GRANIAN, "--interface", "asgi", "blacksheep_app:app"),
        ("blacksheep", "granian", "uvloop", "orjson"),
        "from blacksheep import Application",
    ),
    Peer(
        "litestar",
        "Litestar on uvicorn",
        Environment("litestar", ("litestar", "uvicorn", *FAST_LOOP)),
        (*UVICORN, "litestar_app:app"),
        ("litestar", "msgspec", "uvicorn", *FAST_LOOP),
        "from litestar import Litestar",
    ),
    Peer(
        "sanic",
        "Sanic",
        Environment("sanic", ("sanic", "msgspec", *FAST_LOOP)),
        ("{python}", "sanic_app.py", "{port}"),
        ("sanic", *FAST_LOOP),
        "from sanic import Sanic",
    ),
    Peer(
        "falcon",
        "Falcon on Granian",
        Environment("falcon", ("falcon", "msgspec", "granian", "uvloop")),
        (*GRANIAN, "--interface", "wsgi", "falcon_app:app"),
        ("falcon", "granian", "msgspec"),
        "from falcon import App",
    ),
    Peer(
        "flask",
        "Flask on gunicorn gthread",
        Environment("flask", ("flask", "gunicorn", "msgspec")),
        (*GUNICORN, "flask_app:app"),
        ("flask", "gunicorn"),
        "from flask import Flask",
    ),
    Peer(
        "django",
        "Django on Granian (WSGI)",
        Environment("django", ("django", "granian", "uvloop")),
        (*GRANIAN, "--interface", "wsgi", "django_app:app"),
        ("django", "granian"),
        "from django.http import HttpResponse",
    ),
    Peer(
        "nginx",
        "nginx",
        Installed("nginx", "-v"),
        ("{python}", "nginx_site.py", "{program}", "{port}"),
        answers_json=False,
    ),
)
BY_NAME = {peer.name: peer for peer in PEERS}
OURS = "kingpost"


def is_ours(subject: str) -> bool:
    """Whether a subject of a row is Kingpost, on whatever path and with whatever in it."""
    return subject.partition("/")[0].partition("-")[0] == OURS
