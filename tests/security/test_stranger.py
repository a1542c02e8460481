"""What a stranger tries who has read the README only: odd input to typed parameters, odd values from handlers, foreign pages.

Each test is a way in that some framework left open. Most names here have no number in the table of classes.
"""

from __future__ import annotations

import asyncio
import datetime
import enum
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import pytest

from kingpost import App, Html, NotFound, Redirect, Request, Response
from tests.security.rig import Incomplete, Rig, read_answers, serving


class Color(enum.Enum):
    RED = "red"


class Item(msgspec.Struct):
    name: str
    price: float = 0.0
    tags: list[str] = []


@dataclass
class Point:
    x: int
    y: int | None = None


ODD: dict[str, Callable[[], Any]] = {
    "tuple": lambda: ("a", 200),
    "coroutine": lambda: asyncio.sleep(0),
    "object": object,
    "class": lambda: int,
    "function": lambda: len,
    "huge integer": lambda: 10**5000,
    "self-containing": lambda: _cycle(),  # noqa: PLW0108 - it stands below
    "very deep": lambda: _deep(50_000),
    "exception": lambda: ValueError("returned"),
    "range": lambda: range(3),
    "response in response": lambda: Response(Response("x")),
    "response class": lambda: Response,
    "ellipsis": lambda: ...,
    "not implemented": lambda: NotImplemented,
    "tuple keys": lambda: {(1, 2): 3},
    "lone surrogate": lambda: "\ud800",
    "lone surrogate in JSON": lambda: {"\ud800": 1},
    "broken __html__": lambda: _BrokenHtml(),  # noqa: PLW0108 - it stands below
    "status 1000": lambda: _changed("status", 1000),
    "status of text": lambda: _changed("status", "200"),
    "media type of two lines": lambda: _changed("media_type", "a/b\r\nx-evil: 1"),
    "media type of number": lambda: _changed("media_type", 5),
}  # fmt: skip


class _BrokenHtml:
    def __html__(self) -> str:
        raise RuntimeError("no")


def _cycle() -> list[Any]:
    one: list[Any] = []
    one.append(one)
    return one


def _deep(levels: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(levels):
        inner = [inner]
    return inner


def _changed(name: str, value: object) -> Response[str]:
    response = Response("x")
    setattr(response, name, value)
    return response


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def _recurse() -> None:
    _recurse()


def _around() -> BaseException:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    return one


RAISED: dict[str, Callable[[], BaseException]] = {
    "BaseException": lambda: BaseException("x"),
    "CancelledError": asyncio.CancelledError,
    "GeneratorExit": GeneratorExit,
    "StopIteration": lambda: StopIteration(1),
    "StopAsyncIteration": lambda: StopAsyncIteration(1),
    "MemoryError": MemoryError,
    "ExceptionGroup": lambda: ExceptionGroup("g", [ValueError(1)]),
    "BaseExceptionGroup": lambda: BaseExceptionGroup("g", [KeyboardInterrupt()]),
    "unspeakable": Unspeakable,
    "cause of itself": _around,
    "markup": lambda: RuntimeError("<script>alert(1)</script>\ud800\x00"),
}  # fmt: skip


def make_app() -> App:
    app = App()

    @app.get("/odd/{name}")
    async def odd(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - what it returns is the question
        return ODD[name.replace("-", " ")]()

    @app.get("/odd-def/{name}")
    def odd_def(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as above
        return ODD[name.replace("-", " ")]()

    @app.get("/raise/{name}")
    async def raising(name: str) -> str:
        error = RAISED[name.replace("-", " ")]()
        raise error

    @app.get("/raise-def/{name}")
    def raising_def(name: str) -> str:
        error = RAISED[name.replace("-", " ")]()
        raise error

    @app.get("/recurse")
    async def recurse() -> str:
        _recurse()
        return ""

    @app.get("/secrets")
    async def secrets() -> str:
        password = "hunter2"
        connection = "postgres://user:pw-in-url@host/db"
        markup = "<script>alert('local')</script>"
        raise RuntimeError(f"<script>alert('text')</script> {len(password + connection + markup)}")

    @app.get("/query")
    def query(  # noqa: PLR0917 - how a user writes it
        i: int,
        f: float = 0.0,
        b: bool = False,
        u: uuid.UUID | None = None,
        d: datetime.date | None = None,
        c: Color = Color.RED,
        choice: Literal["a", "b"] = "a",
        many: list[int] = [],  # noqa: B006 - how a user writes it
    ) -> dict[str, Any]:
        return {"i": i, "f": f, "b": b, "u": u, "d": d, "c": c, "choice": choice, "many": many}

    @app.get("/int/{value:int}")
    def of_int(value: int) -> int:
        return value

    @app.get("/uuid/{value:uuid}")
    def of_uuid(value: uuid.UUID) -> str:
        return str(value)

    @app.get("/date/{value:date}")
    def of_date(value: datetime.date) -> str:
        return str(value)

    @app.get("/slug/{value:slug}")
    def of_slug(value: str) -> str:
        return value

    @app.get("/segment/{value}")
    def of_segment(value: str) -> str:
        return value

    @app.get("/rest/{value:path}")
    def of_rest(value: str) -> str:
        return value

    @app.post("/item")
    def item(item: Item) -> Item:
        return item

    @app.post("/point")
    def point(point: Point) -> Point:
        return point

    @app.post("/any")
    def anything(value: dict[str, Any]) -> dict[str, Any]:
        return value

    @app.post("/form")
    def form(request: Request) -> dict[str, str]:
        return dict(request.form())

    @app.post("/text")
    def text(request: Request) -> str:
        return request.text()

    @app.get("/self")
    def self_(request: Request) -> dict[str, Any]:
        return {"method": request.method, "url": request.url_for("self_", absolute=True)}

    @app.post("/change")
    async def change() -> str:
        return "changed"

    @app.get("/redirect")
    def redirect(to: str) -> Redirect:
        return Redirect(to)

    @app.get("/missing")
    def missing() -> str:
        raise NotFound("\ud800 <script>alert(1)</script>")

    @app.get("/half/{kind}")
    def half(kind: str) -> Iterator[str]:
        yield "first"
        if kind == "exit":
            raise GeneratorExit
        raise ValueError(kind)

    @app.get("/half-async/{kind}")
    async def half_async(kind: str) -> AsyncIterator[str]:
        yield "first"
        if kind == "cancel":
            raise asyncio.CancelledError
        raise ValueError(kind)

    @app.get("/page")
    def page(name: str) -> Html:
        return Html.format("<p>{}</p>", name)

    return app


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with serving(make_app()) as rig:
        yield rig
        rig.until_idle()


@pytest.fixture(scope="module")
def development() -> Iterator[Rig]:
    with serving(make_app(), mode="development") as rig:
        yield rig


PAGE = "accept: text/html\r\n"


def path_of(name: str) -> str:
    return name.replace(" ", "-")


@pytest.mark.parametrize("path", ["/odd/", "/odd-def/"])
@pytest.mark.parametrize("name", ODD)
def test_a_handler_may_return_anything_and_it_is_an_answer(
    rig: Rig, development: Rig, path: str, name: str
) -> None:
    for server in (rig, development):
        for fields in ("", PAGE):
            answer = server.get(path + path_of(name), fields)
            assert answer.status == 500
            assert answer.get("x-evil") is None
    assert rig.get(path + path_of(name)).code == "internal-server-error"


@pytest.mark.parametrize("path", ["/raise/", "/raise-def/"])
@pytest.mark.parametrize("name", RAISED)
def test_a_handler_may_raise_anything_and_it_is_a_500(
    rig: Rig, development: Rig, path: str, name: str
) -> None:
    for server in (rig, development):
        for fields in ("", PAGE):
            answer = server.get(path + path_of(name), fields)
            assert answer.status == 500
            assert (
                b"<script>alert" not in answer.body
                or answer.get("content-type") == "application/problem+json"
            )
    assert b"alert" not in rig.get(path + path_of(name)).body


def test_recursion_without_end_is_a_500(rig: Rig, development: Rig) -> None:
    for server in (rig, development):
        assert server.get("/recurse").status == 500
        assert server.get("/recurse", PAGE).status == 500


def test_a_stream_that_fails_is_seen_to_be_incomplete(rig: Rig) -> None:
    for path in ("/half/x", "/half/exit", "/half-async/x", "/half-async/cancel"):
        with pytest.raises(Incomplete):
            read_answers(rig.talk(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode(), end=False))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("i=1", 200), ("i=+1", 422), ("i=%201", 422), ("i=1_0", 422), ("i=%D9%A3", 422), ("i=1e3", 422), ("i=0x1", 422),
        ("i=", 422), ("i", 422), ("", 422), ("i=1&i=2", 422), ("i=1;i=2", 422), ("i%00=1", 422), ("%69=1", 200),
        ("i=" + "9" * 5000, 422), ("i=1&f=nan", 422), ("i=1&f=inf", 422), ("i=1&f=1e999", 422), ("i=1&f=1_0", 422),
        ("i=1&b=2", 422), ("i=1&b=%00", 422), ("i=1&u=x", 422), ("i=1&u={12345678-1234-5678-1234-567812345678}", 422),
        ("i=1&u=12345678-1234-5678-1234-567812345678", 200), ("i=1&d=2024-02-30", 422), ("i=1&d=20240101", 422),
        ("i=1&d=2024-W01-1", 422), ("i=1&c=RED", 422), ("i=1&choice=c", 422), ("i=1&many=1&many=x", 422),
        ("i=1&many=1,2", 422), ("i=1&&&=&=x&__class__=y", 200), ("i=1" + "&a" * 998, 200), ("i=1" + "&a" * 1000, 400),
        ("i=%ff", 422), ("i=%", 422), ("i=%ED%A0%80", 422),
    ],
)  # fmt: skip
def test_a_query_is_read_as_its_types_say(rig: Rig, query: str, status: int) -> None:
    answer = rig.get(f"/query?{query}")
    assert answer.status == status
    if status == 422:
        assert answer.code == "validation-failed"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/int/1", 200, b"1"), ("/int/%31", 200, b"1"), ("/int/+1", 404, None), ("/int/1_0", 404, None),
        ("/int/%D9%A3", 404, None), ("/int/1%00", 404, None), ("/int/1%0a", 404, None), ("/int/" + "9" * 4400, 404, None),
        ("/uuid/{12345678-1234-5678-1234-567812345678}", 404, None), ("/date/2024-13-01", 404, None),
        ("/slug/a%2Fb", 404, None), ("/slug/a%0a", 404, None), ("/segment/a%2Fb", 404, None),
        ("/segment/..", 200, b".."), ("/segment/%2e%2e%2fetc", 404, None), ("/segment/a/b", 404, None),
        ("/segment/", 404, None), ("/segment/%C0%AF", 200, "\ufffd\ufffd".encode()), ("/segment/%00", 404, None), ("/segment/%5c", 200, b"\\"), ("/rest/a%2Fb", 200, b"a/b"),
        ("/segment/%zz", 200, b"%zz"), ("/rest/a/../b", 200, b"a/../b"), ("//int/1", 404, None), ("/%2fint/1", 404, None),
        ("/INT/1", 404, None), ("/./int/1", 404, None), ("/x/../int/1", 404, None), ("/int;x/1", 404, None),
        ("/%69nt/1", 200, b"1"),
    ],
)  # fmt: skip
def test_a_path_is_matched_as_it_was_sent(
    rig: Rig, path: str, status: int, body: bytes | None
) -> None:
    answer = rig.get(path)
    assert answer.status == status
    assert body is None or answer.body == body


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "/%2fevil.example/",
        "/\\evil.example/",
        "/%5cevil.example/",
        "/segment//",
        "//evil.example//",
        "/%09/evil.example/",
    ],
)
def test_the_other_slash_leads_nowhere_else(path: str) -> None:
    app = App()

    @app.get("/{anything:path}")
    def anything(anything: str) -> str:
        return anything

    @app.get("/segment/{value}")
    def segment(value: str) -> str:
        return value

    @app.get("/{value}/closed")
    def closed(value: str) -> str:
        return value

    with serving(app) as rig:
        for target in (path, path.rstrip("/"), path + "closed/", path + "/closed/"):
            location = rig.get(target).get("location") or "/"
            assert location.startswith("/")
            assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name":"a"}', 200), (b"", 422), (b"null", 422), (b"[]", 422), (b"{}", 422), (b'{"name":1}', 422),
        (b'{"name":"a","price":"1"}', 422), (b'{"name":"a","price":NaN}', 400), (b'{"name":"a","price":1e999}', 400),
        (b'{"name":"a","price":' + b"9" * 5000 + b"}", 400), (b'{"name":"a"}x', 400), (b"\xef\xbb\xbf{}", 400),
        (b'{"name":"\xff"}', 400), (b'{"name":"\\ud800"}', 400), (b'{"name":"\x00"}', 400), (b"[" * 100_000, 400),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"name":"a"}', 400), (b'{"a":' * 100_000, 400),
        (b'{"name":"a","tags":["b",1,{"c":2}]}', 422), (b"'a'", 400), (b'{"name":"a",}', 400),
        (b'{"__class__":"x","name":"a"}', 200),
    ],
)  # fmt: skip
def test_json_is_read_strictly(rig: Rig, body: bytes, status: int) -> None:
    fields = "content-type: application/json\r\n"
    assert rig.get("/item", fields, method="POST", body=body).status == status
    assert rig.get("/any", fields, method="POST", body=body).status in (200, 400, 422)
    assert rig.get("/point", fields, method="POST", body=body).status in (400, 422)


def test_a_key_that_comes_twice_means_the_same_to_all_who_read_it(rig: Rig) -> None:
    fields = "content-type: application/json\r\n"
    body = b'{"name":"first","name":"last"}'
    typed = json.loads(rig.get("/item", fields, method="POST", body=body).body)["name"]
    untyped = json.loads(rig.get("/any", fields, method="POST", body=body).body)["name"]
    assert typed == untyped


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "text/json",
        "application/jsonp",
        "application/json\x0b",
    ],
)
def test_t68_a_plain_form_of_another_site_is_no_json(rig: Rig, media_type: str) -> None:
    fields = f"content-type: {media_type}\r\n" if media_type else ""
    assert rig.get("/item", fields, method="POST", body=b'{"name":"a"}').status in (400, 415)


@pytest.mark.parametrize(
    "charset",
    [
        "utf-16",
        "utf-7",
        "idna",
        "punycode",
        "rot13",
        "zlib",
        "unicode_escape",
        "x",
        "",
        '"utf-8',
        "utf-8\\",
        "../../etc",
    ],
)
def test_a_text_is_decoded_with_well_known_charsets_only(rig: Rig, charset: str) -> None:
    answer = rig.get(
        "/text", f"content-type: text/plain; charset={charset}\r\n", method="POST", body=b"abc"
    )
    assert answer.status in (200, 415)
    assert answer.status == 415 or answer.body == b"abc"


CROSS_SITE = [
    ("origin: http://evil.example\r\n", 403), ("origin: null\r\n", 403), ("origin: \r\n", 403),
    ("origin: http://localhost.evil.example\r\n", 403), ("origin: http://evil.example/localhost\r\n", 403),
    ("origin: http://localhost:81\r\n", 403), ("origin: http://localhost@evil.example\r\n", 403),
    ("origin: http://localhost http://evil.example\r\n", 403),
    ("origin: http://localhost\r\norigin: http://evil.example\r\n", 403),
    ("sec-fetch-site: cross-site\r\n", 403), ("sec-fetch-site: same-site\r\n", 403), ("sec-fetch-site: x\r\n", 403),
    ("sec-fetch-site: cross-site\r\norigin: http://localhost\r\n", 403),
    ("sec-fetch-site: same-origin\r\nsec-fetch-site: cross-site\r\n", 403),
    ("", 200), ("origin: http://localhost\r\n", 200), ("sec-fetch-site: same-origin\r\n", 200), ("sec-fetch-site: none\r\n", 200),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status"), CROSS_SITE)
def test_a_page_of_another_site_cannot_act_in_a_users_name(
    rig: Rig, fields: str, status: int
) -> None:
    for cookie in (
        "cookie: s=1\r\n",
        "COOKIE: s=1\r\n",
        "cookie: \r\n",
        "cookie: a=b\r\ncookie: c=d\r\n",
    ):
        assert rig.get("/change", cookie + fields, method="POST").status == status
        assert rig.get("/change", fields + cookie, method="POST").status == status
    # Whoever is refused there is refused for every method that changes things, known or not.
    for method in ("PUT", "PATCH", "DELETE", "PROPPATCH"):
        assert rig.get("/change", "cookie: s=1\r\n" + fields, method=method).status == (
            403 if status == 403 else 405
        )


def test_a_method_cannot_be_put_over_another(rig: Rig) -> None:
    for fields in (
        "x-http-method-override: POST\r\n",
        "x-http-method: POST\r\n",
        "x-method-override: POST\r\n",
    ):
        assert json.loads(rig.get("/self?_method=POST", fields).body)["method"] == "GET"
    fields = "content-type: application/x-www-form-urlencoded\r\n"
    assert rig.get("/self", fields, method="POST", body=b"_method=GET").status == 405


def test_methods_that_mirror_or_tunnel_are_not_served(rig: Rig) -> None:
    (trace,) = rig.ask(b"TRACE /self HTTP/1.1\r\nhost: a\r\ncookie: secret=1\r\n\r\n")
    assert trace.status == 405
    assert b"secret" not in trace.body
    for target in (b"localhost:80", b"/self", b"*"):
        (connect,) = rig.ask(b"CONNECT %s HTTP/1.1\r\nhost: localhost:80\r\n\r\n" % target)
        assert connect.status in (400, 405, 501)
    (options,) = rig.ask(b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n")
    assert options.status == 204


@pytest.mark.parametrize(
    "host",
    [
        "a/b",
        "a?b",
        "a#b",
        "a@b",
        "a b",
        "",
        "[::1",
        "a:99999",
        "a:b",
        "a\\b",
        "é",
        "<script>",
        "a\tb",
    ],
)
def test_what_is_no_host_is_refused(rig: Rig, host: str) -> None:
    (answer,) = rig.ask(f"GET /self HTTP/1.1\r\nhost: {host}\r\n\r\n".encode("latin-1"))
    assert (answer.status, answer.code) == (400, "http.bad-host")


def test_the_path_of_an_absolute_url_cannot_be_moved_by_the_host(rig: Rig) -> None:
    for host in ("a", "[::1]:80", "a:1", "a,b", "a%2fb"):
        (answer,) = rig.ask(f"GET /self HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        assert json.loads(answer.body)["url"] == f"http://{host}/self"


def test_an_old_client_that_names_no_host_gets_no_absolute_url(rig: Rig) -> None:
    (answer,) = rig.ask(b"GET /self HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.code) == (400, "request.unknown-host")


def test_hosts_that_are_not_ours_are_refused() -> None:
    app = App(hosts=["example.org", "*.example.org"])

    @app.get("/")
    def home() -> str:
        return "home"

    with serving(app) as rig:
        for host, status in [
            ("example.org", 200), ("EXAMPLE.ORG:8000", 200), ("a.example.org", 200), ("evil.example", 400),
            ("example.org.evil.example", 400), ("evilexample.org", 400), (".example.org", 400), ("127.0.0.1", 400),
            ("example.org.", 400), ("a.example.org.evil.example:80", 400),
        ]:  # fmt: skip
            (answer,) = rig.ask(f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
            assert answer.status == status, host
            # What no route answers is no way around it.
            (answer,) = rig.ask(f"GET /nowhere HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
            assert answer.status == (404 if status == 200 else 400), host
        assert rig.ask(b"GET / HTTP/1.0\r\n\r\n")[0].status == 400


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\t//evil.example",
        "http:evil",
        "/%2Fevil.example",
        "%5C%5Cevil.example",
        " //evil.example",
        "data:text/html,x",
        "\\\\evil.example",
    ],
)
def test_a_redirect_stays_on_the_site(rig: Rig, to: str) -> None:
    from urllib.parse import quote

    answer = rig.get(f"/redirect?to={quote(to, safe='')}")
    assert answer.status == 400
    assert answer.get("location") is None


def test_pages_quote_what_others_wrote(rig: Rig, development: Rig) -> None:
    attempts = ["/<script>alert(1)</script>", '/"onmouseover=alert(1)', "/%3Cscript%3Ealert(1)%3C/script%3E", "/query?i=<script>alert(1)</script>", "/query?<script>alert(1)</script>=1", "/missing", "/int/<script>alert(1)"]  # fmt: skip
    for server in (rig, development):
        for path in attempts:
            answer = server.get(path, PAGE)
            assert answer.status in (404, 422), path
            assert answer.get("content-type") == "text/html; charset=utf-8"
            assert answer.get("x-content-type-options") == "nosniff"
            assert b"<script>alert" not in answer.body
            assert b'"onmouseover' not in answer.body
    assert (
        rig.get("/page?name=<script>alert(1)</script>").body
        == b"<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    )


def test_in_production_an_error_tells_nothing(rig: Rig) -> None:
    for fields in ("", PAGE):
        body = rig.get("/secrets", fields).body
        for told in (
            b"hunter2",
            b"pw-in-url",
            b"alert",
            b"RuntimeError",
            b"test_stranger",
            b"Traceback",
        ):
            assert told not in body


def test_the_development_page_hides_secrets_and_is_for_this_machine(development: Rig) -> None:
    fields = (
        PAGE
        + "cookie: sid=in-cookie\r\nauthorization: Bearer in-authorization\r\nx-api-key: in-key\r\n"
    )
    page = development.get("/secrets?token=in-query", fields)
    assert page.status == 500
    assert page.get("cache-control") == "no-store"
    assert page.get("x-frame-options") == "DENY"
    assert b"RuntimeError" in page.body
    for secret in (b"in-cookie", b"in-authorization", b"in-key", b"in-query", b"<script>alert"):
        assert secret not in page.body
    # The source line is shown, the value is not shown a second time.
    assert page.body.count(b"pw-in-url") <= 1
    assert b"user:***@host" in page.body
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "1.evil"):
        (answer,) = development.ask(
            f"GET /secrets HTTP/1.1\r\nhost: {host}\r\naccept: text/html\r\n\r\n".encode()
        )
        assert b"RuntimeError" not in answer.body
        assert b"test_stranger" not in answer.body


def test_in_development_an_error_is_told_as_itself_whatever_its_text(development: Rig) -> None:
    assert development.get("/missing").status == 404
    detail = json.loads(development.get("/raise/markup").body)["detail"]
    assert detail.startswith("RuntimeError: <script>")
    assert json.loads(development.get("/raise/unspeakable").body)["detail"].startswith(
        "Unspeakable"
    )


def test_accept_of_any_kind_gets_an_answer(rig: Rig) -> None:
    for accept in (
        "",
        "*/*;q=x",
        "text/html;q=0",
        ";;;",
        "text/html" * 500,
        "a/b,",
        "*",
        "text/html;q=1.0000001",
        "\xff",
        "text/*;q=0.5,application/problem+json;q=0.4",
    ):
        assert rig.get("/nowhere", f"accept: {accept}\r\n").status == 404
