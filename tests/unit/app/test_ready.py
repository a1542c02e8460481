"""What middleware sees of a plain answer, and that the bytes are the same whether it looks or not."""

from collections.abc import Callable

import pytest

from kingpost import App, CallNext, Request, Response
from kingpost.html import Html
from kingpost.testing import TestClient

VALUES: dict[str, tuple[object, int]] = {
    "text": ("grüße", 200),
    "text with a status": ("made", 201),
    "dict": ({"a": 1}, 200),
    "list": ([1, 2], 202),
    "number": (7, 200),
    "page": (Html("<p>hi</p>"), 200),
    "bytes": (b"\x00\x01", 200),
    "response": (Response("own", headers={"x-own": "1"}), 200),
    "empty text": ("", 200),
}


async def looks_at_nothing(request: Request, call_next: CallNext) -> Response:
    return await call_next(request)


async def reads_all(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    assert len(response.headers) > 0
    assert response.body is not None
    return response


@pytest.mark.parametrize("name", VALUES)
def test_looking_changes_nothing(name: str) -> None:
    value, status = VALUES[name]
    app = App()

    def handler() -> object:
        return value

    async def async_handler() -> object:
        return value

    app.get("/bare", status=status)(handler)
    app.get("/through", status=status, middleware=[looks_at_nothing])(async_handler)
    app.get("/read", status=status, middleware=[reads_all, looks_at_nothing])(async_handler)
    app.get("/on-thread", status=status, middleware=[looks_at_nothing])(handler)
    with TestClient(app) as client:
        answers = [client.get(path) for path in ("/bare", "/through", "/read", "/on-thread")]

    seen = {
        (
            answer.status,
            answer.content,
            tuple(
                sorted(
                    field
                    for field in answer.headers.items()
                    if field[0].lower() not in ("date", "x-request-id")
                )
            ),
        )
        for answer in answers
    }
    assert len(seen) == 1


def change_status(response: Response) -> None:
    response.status = 418


def change_body(response: Response) -> None:
    response.body = b"other"


def change_field(response: Response) -> None:
    response.headers["x-more"] = "1"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_status, (418, b"text", None)),
        (change_body, (200, b"other", None)),
        (change_field, (200, b"text", "1")),
    ],
)
def test_a_change_is_sent(
    change: Callable[[Response], None], expected: tuple[int, bytes, str | None]
) -> None:
    async def changes(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        change(response)
        return response

    app = App(middleware=[changes])

    @app.get("/")
    async def home() -> str:
        return "text"

    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status, answer.content, answer.headers.get("x-more")) == expected
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_status_that_is_none_is_the_programs_mistake() -> None:
    async def wrong(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        response.status = 99
        return response

    app = App(middleware=[wrong])

    @app.get("/")
    async def home() -> str:
        return "text"

    with TestClient(app, raise_errors=False) as client:
        assert client.get("/").status == 500


def test_text_that_no_encoding_carries_is_the_handlers_mistake() -> None:
    seen: list[int] = []

    async def watches(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        seen.append(response.status)
        return response

    app = App(middleware=[watches])

    @app.get("/")
    async def home() -> str:
        return "\ud800"

    with TestClient(app, raise_errors=False) as client:
        assert client.get("/").status == 500
    assert seen == [500]
