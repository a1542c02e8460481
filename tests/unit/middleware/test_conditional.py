"""What the client has is not sent again (RFC 9110 section 13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kingpost import App, NotFound, Request, Response
from kingpost.errors import ConfigurationError
from kingpost.middleware import ConditionalGet
from kingpost.testing import TestClient

ran: list[str] = []


def client(
    content: Any = "hello", *, headers: dict[str, str] | None = None, status: int = 200
) -> TestClient:
    app = App(middleware=[ConditionalGet()])

    @app.route("/", methods=["GET", "POST"])
    def home() -> Response[Any]:
        return Response(
            content() if callable(content) else content, status=status, headers=headers or {}
        )

    @app.get("/missing")
    def missing() -> str:
        raise NotFound

    return TestClient(app)


def test_a_whole_body_gets_a_tag_and_is_sent_once() -> None:
    browser = client(
        headers={"cache-control": "max-age=60", "content-language": "en", "x-own": "1"}
    )
    first = browser.get("/")
    second = browser.get("/", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["etag"].startswith('"')
    assert (second.status, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["cache-control"] == "max-age=60"
    assert second.headers["x-own"] == "1"
    assert "content-type" not in second.headers
    assert "content-language" not in second.headers
    assert "content-length" not in second.headers


def test_another_body_has_another_tag() -> None:
    tag = client("hello").get("/").headers["etag"]

    assert client("hallo").get("/", headers={"if-none-match": tag}).text == "hallo"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_the_tag_is_compared_weakly_and_in_lists(form: str) -> None:
    browser = client()
    tag = browser.get("/").headers["etag"]

    assert browser.get("/", headers={"if-none-match": form.format(tag)}).status == 304


def test_head_is_as_get() -> None:
    browser = client()
    get, head = browser.get("/"), browser.head("/")

    assert head.headers["etag"] == get.headers["etag"]
    assert head.headers["content-length"] == "5"
    assert browser.head("/", headers={"if-none-match": get.headers["etag"]}).status == 304


@pytest.mark.parametrize(
    ("headers", "sent", "status"),
    [
        ({"etag": '"own"'}, {"if-none-match": '"own"'}, 304),
        ({"etag": 'W/"own"'}, {"if-none-match": '"own"'}, 304),
        ({"etag": '"own"'}, {"if-match": '"own"'}, 200),
        ({"etag": 'W/"own"'}, {"if-match": 'W/"own"'}, 412),
        ({"etag": '"own"'}, {"if-match": '"other"'}, 412),
        ({}, {"if-match": "*"}, 200),
        ({"last-modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, {"if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 304),
        ({"last-modified": "Sun, 06 Nov 1994 08:49:38 GMT"}, {"if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 200),
        ({"last-modified": "Sun, 06 Nov 1994 08:49:38 GMT"}, {"if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 412),
        ({}, {"if-modified-since": "yesterday"}, 200),
        ({}, {"if-none-match": "malformed"}, 200),
    ],
    ids=str,
)  # fmt: skip
def test_the_order_of_section_13_2_2(
    headers: dict[str, str], sent: dict[str, str], status: int
) -> None:
    assert client(headers=headers).get("/", headers=sent).status == status


def chunks() -> Iterator[str]:
    yield "a"


def test_streams_have_no_tag() -> None:
    assert "etag" not in client(chunks).get("/").headers


@pytest.mark.parametrize("value", ["no-store", "private, No-Store"])
def test_what_nobody_may_keep_has_no_tag(value: str) -> None:
    response = client(headers={"cache-control": value}).get("/", headers={"if-none-match": "*"})

    assert response.status == 200
    assert "etag" not in response.headers


def test_errors_and_changes_have_no_tag() -> None:
    assert "etag" not in client().get("/missing", headers={"if-none-match": "*"}).headers
    assert "etag" not in client(status=201).get("/").headers
    posted = client().post("/", headers={"if-none-match": "*"})
    assert posted.status == 200
    assert "etag" not in posted.headers


# -- with a function that knows the version


def version(request: Request) -> str | None:
    return None if request.path.endswith("new") else "7 ü"


async def async_version(request: Request) -> str | None:
    return version(request)


@pytest.mark.parametrize("etag", [version, async_version])
def test_the_handler_does_not_run_for_who_is_up_to_date(etag: Any) -> None:
    app = App()

    @app.get("/todo", middleware=[ConditionalGet(etag=etag)])
    def todo() -> str:
        ran.append("todo")
        return "todo"

    browser = TestClient(app)
    tag = browser.get("/todo").headers["etag"]
    ran.clear()
    again = browser.get("/todo", headers={"if-none-match": tag})

    assert (again.status, again.headers["etag"], ran) == (304, tag, [])


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/todo", {}, 200),
        ("/todo", {"if-match": "{tag}"}, 200),
        ("/todo", {"if-match": '"older"'}, 412),
        ("/todo", {"if-none-match": "*"}, 412),
        ("/new", {"if-none-match": "*"}, 200),
    ],
    ids=str,
)
def test_a_change_of_another_state_is_refused_before_it_happens(
    path: str, sent: dict[str, str], status: int
) -> None:
    app = App()

    @app.route("/{name}", methods=["GET", "PUT"], middleware=[ConditionalGet(etag=version)])
    def todo(name: str) -> str:
        ran.append(name)
        return name

    browser = TestClient(app)
    tag = browser.get("/todo").headers["etag"]
    ran.clear()
    response = browser.put(path, headers={n: v.format(tag=tag) for n, v in sent.items()})

    assert (response.status, bool(ran)) == (status, status == 200)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        ConditionalGet(etag="v1")  # type: ignore[arg-type]  # the mistake itself

    assert error.value.code == "conditional.bad-etag"
