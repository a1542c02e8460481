"""The test client, both faces. Most is asked of the plain one; `AsyncTestClient` stands on the same core."""

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from kingpost import App, BodyStream, Html, NotFound, Redirect, Request, Response
from kingpost.testing import AsyncTestClient, BadReply, TestClient
from tests.waiting import until


class Broken(Exception):
    """What a handler raises that nobody expects."""


def make_app() -> App:
    app = App()

    @app.get("/")
    def home() -> str:
        return "Hello, world!"

    @app.get("/async")
    async def in_loop() -> dict[str, int]:
        await asyncio.sleep(0)
        return {"answer": 42}

    @app.post("/echo")
    async def echo(request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "body": request.body.decode("latin-1"),
            "type": request.headers.get("content-type"),
            "query": request.query_string.decode(),
            "cookie": request.headers.get("cookie"),
            "host": request.headers["host"],
            "x": request.headers.get_all("x"),
        }

    @app.get("/broken")
    async def broken() -> str:
        raise Broken("async")

    @app.get("/broken-def")
    def broken_def() -> str:
        raise Broken("def")

    @app.get("/missing")
    async def missing() -> str:
        raise NotFound("no such thing")

    @app.get("/handled")
    async def handled() -> str:
        raise LookupError("handled")

    @app.error(LookupError)
    def handle(request: Request, error: LookupError) -> str:
        return f"handled {error}"

    @app.get("/login")
    def login() -> Response[str]:
        return Response("welcome").set_cookie("session", "abc")

    @app.get("/old")
    def old() -> Redirect:
        return Redirect("/older")

    @app.get("/older")
    def older() -> Redirect:
        return Redirect("/?from=older")

    @app.get("/circle")
    def circle() -> Redirect:
        return Redirect("/circle")

    @app.get("/numbers")
    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"
            await asyncio.sleep(0)

    @app.post("/count")
    async def count(body: BodyStream) -> dict[str, int]:
        sizes = [len(chunk) async for chunk in body]
        return {"chunks": len(sizes), "bytes": sum(sizes)}

    @app.get("/never")
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    @app.get("/page")
    def page() -> Html:
        return Html("<h1>żółw</h1>")

    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def test_an_answer_has_status_text_and_headers(client: TestClient) -> None:
    response = client.get("/")

    assert response.status == 200
    assert response.reason == "OK"
    assert response.text == "Hello, world!"
    assert response.content == b"Hello, world!"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert len(response.request_id) == 16


def test_json_is_parsed(client: TestClient) -> None:
    assert client.get("/async").json() == {"answer": 42}


def test_text_beyond_ascii_comes_back(client: TestClient) -> None:
    assert client.get("/page").text == "<h1>żółw</h1>"


def test_every_keyword_reaches_the_handler(client: TestClient) -> None:
    seen = client.post(
        "/echo?a=1",
        params={"b": ["2", "3"]},
        json={"title": "x"},
        headers=[("x", "1"), ("x", "2"), ("host", "example.org")],
        cookies={"theme": "dark"},
    ).json()

    assert seen == {
        "method": "POST",
        "body": '{"title":"x"}',
        "type": "application/json",
        "query": "a=1&b=2&b=3",
        "cookie": "theme=dark",
        "host": "example.org",
        "x": ["1", "2"],
    }


def test_a_form_and_plain_content_reach_the_handler(client: TestClient) -> None:
    assert client.post("/echo", form={"a": "1 2"}).json()["body"] == "a=1+2"
    assert client.post("/echo", content="text").json()["type"] == "text/plain; charset=utf-8"


def test_every_verb_is_sent(client: TestClient) -> None:
    assert client.head("/").content == b""
    assert client.options("/").status in (200, 204)
    assert "GET" in client.options("/").headers["allow"]
    for send in (client.put, client.patch, client.delete, client.post):
        assert send("/").status == 405
    assert client.request("GET", "/").status == 200


def test_what_a_handler_raises_is_raised_in_the_test(client: TestClient) -> None:
    with pytest.raises(Broken, match="async"):
        client.get("/broken")
    with pytest.raises(Broken, match="def"):
        client.get("/broken-def")

    assert client.get("/").status == 200


def test_an_unhandled_exception_can_be_answered_instead(client: TestClient) -> None:
    assert client.get("/broken", raise_errors=False).status == 500

    quiet = TestClient(make_app(), raise_errors=False)
    assert quiet.get("/broken").status == 500
    quiet.close()


def test_an_error_that_was_not_raised_is_not_raised_later(client: TestClient) -> None:
    client.get("/broken", raise_errors=False)

    assert client.get("/").status == 200


@pytest.mark.parametrize("path", ["/missing", "/nowhere"])
def test_an_http_error_is_an_answer(client: TestClient, path: str) -> None:
    assert client.get(path).status == 404


def test_an_exception_that_the_app_handles_is_an_answer(client: TestClient) -> None:
    assert client.get("/handled").text.startswith("handled")


def test_cookies_are_kept_and_sent_back(client: TestClient) -> None:
    response = client.get("/login")

    assert response.cookies == {"session": "abc"}
    assert client.cookies["session"] == "abc"
    assert client.post("/echo").json()["cookie"] == "session=abc"


def test_cookies_to_begin_with_are_sent() -> None:
    client = TestClient(make_app(), cookies={"a": "1"})

    assert client.post("/echo").json()["cookie"] == "a=1"
    client.close()


def test_redirects_are_shown_unless_they_are_to_be_followed(client: TestClient) -> None:
    assert client.get("/old").status == 303

    response = client.get("/old", follow_redirects=True)

    assert (response.status, response.url) == (200, "/?from=older")
    assert [one.headers["location"] for one in response.history] == ["/older", "/?from=older"]


def test_redirects_in_a_circle_end(client: TestClient) -> None:
    with pytest.raises(RuntimeError, match="more than 20 redirects"):
        client.get("/circle", follow_redirects=True)


def test_a_streamed_answer_can_be_read_while_it_is_made(client: TestClient) -> None:
    with client.stream("GET", "/numbers") as response:
        assert response.status == 200
        assert b"".join(response) == b"0\n1\n2\n"

    assert client.get("/numbers").text == "0\n1\n2\n"


def test_a_streamed_answer_may_be_larger_than_what_the_engine_keeps() -> None:
    app = App()

    @app.get("/")
    async def much() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)

    with TestClient(app, timeout=10) as client:
        assert len(client.get("/").content) == 2_000_000


def test_a_stream_that_is_left_early_ends_its_handler() -> None:
    app, ended = App(), threading.Event()

    @app.get("/endless")
    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 1000
                await asyncio.sleep(0)
        finally:
            ended.set()

    with TestClient(app) as client:
        with client.stream("GET", "/endless") as response:
            assert next(iter(response)).startswith(b"xxx")

        assert client.get("/nowhere").status == 404
    assert ended.is_set()


def test_a_body_can_be_streamed_to_the_handler(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    assert client.post("/count", content=chunks()).json()["bytes"] == 10_000


def test_an_asynchronous_body_can_be_streamed(client: TestClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"abc"

    assert client.post("/count", content=chunks()).json()["bytes"] == 9


def test_a_large_body_is_sent_as_fast_as_it_is_taken(client: TestClient) -> None:
    assert client.post("/echo", content=b"z" * 900_000).status == 200
    assert client.post("/echo", content=b"z" * 5_000_000).status == 413


def test_a_body_that_fails_while_it_is_made_fails_the_test(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"abc"
        raise Broken("the body")

    with pytest.raises(Broken, match="the body"):
        client.post("/echo", content=chunks())


def test_no_answer_in_time_is_told(client: TestClient) -> None:
    with pytest.raises(TimeoutError, match=r"GET /never within 0\.1 seconds"):
        client.get("/never", timeout=0.1)

    assert client.get("/").status == 200


def test_raw_bytes_go_to_the_engine_as_they_are(client: TestClient) -> None:
    assert client.raw(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").text == "Hello, world!"
    assert client.raw(b"GET /\r\n\r\n").status == 400
    assert client.raw(b"GET / HTTP/1.1\r\n\r\n").json()["code"] == "http.missing-host"


def test_an_argument_that_does_not_exist_is_refused(client: TestClient) -> None:
    get: Callable[..., object] = client.get

    with pytest.raises(TypeError, match="did you mean form="):
        get("/", data={})


def test_another_site_is_refused(client: TestClient) -> None:
    with pytest.raises(ValueError, match="another site"):
        client.get("http://example.org/")


def test_a_closed_client_is_refused(client: TestClient) -> None:
    client.close()
    client.close()

    with pytest.raises(RuntimeError, match="is closed"):
        client.get("/")


def test_a_client_that_is_thrown_away_leaves_nothing_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = threading.active_count()
        for _ in range(3):
            assert TestClient(make_app()).get("/").status == 200

        until(lambda: threading.active_count() <= threads + 1)


def test_inside_a_running_loop_the_plain_client_names_the_other() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="AsyncTestClient"):
            TestClient(make_app()).get("/")

    asyncio.run(main())


def test_two_clients_of_one_app_do_not_disturb_each_other() -> None:
    app = make_app()

    with TestClient(app) as one, TestClient(app) as two:
        one.get("/login")

        assert two.cookies == {}
        assert [client.get("/").status for client in (one, two)] == [200, 200]


def test_a_start_up_mistake_is_raised_where_the_client_starts() -> None:
    app = App()

    @app.get("/{id}")
    def show(other: object) -> str:
        return ""

    with pytest.raises(Exception, match="other"):
        TestClient(app).get("/1")


def test_the_asynchronous_client_does_the_same() -> None:
    async def main() -> None:
        async with AsyncTestClient(make_app(), follow_redirects=True) as client:
            assert (await client.get("/")).text == "Hello, world!"
            assert (await client.get("/old")).status == 200
            assert (await client.post("/echo", json=[1])).json()["body"] == "[1]"
            assert (await client.raw(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200
            with pytest.raises(Broken):
                await client.get("/broken")
            async with client.stream("GET", "/numbers") as response:
                assert await response.read() == b"0\n1\n2\n"
            for send in (client.put, client.patch, client.delete, client.head, client.options):
                assert (await send("/nowhere")).status == 404
        with pytest.raises(RuntimeError, match="is closed"):
            await client.get("/")

    asyncio.run(main())


def test_the_asynchronous_client_makes_requests_at_the_same_time() -> None:
    app = App()
    waiting: list[asyncio.Event] = []

    @app.get("/meet")
    async def meet() -> str:
        waiting.append(asyncio.Event())
        if len(waiting) == 3:
            for event in waiting:
                event.set()
        await waiting[-1].wait()
        return "met"

    async def main() -> list[str]:
        async with AsyncTestClient(app) as client:
            answers = await asyncio.gather(*(client.get("/meet") for _ in range(3)))
        return [answer.text for answer in answers]

    assert asyncio.run(main()) == ["met", "met", "met"]


def test_errors_of_requests_at_the_same_time_go_to_their_own() -> None:
    async def main() -> list[Any]:
        async with AsyncTestClient(make_app()) as client:
            return await asyncio.gather(
                client.get("/broken"),
                client.get("/"),
                client.get("/broken"),
                return_exceptions=True,
            )

    kinds = [type(result).__name__ for result in asyncio.run(main())]

    assert kinds == ["Broken", "TestResponse", "Broken"]


def test_a_stream_that_breaks_raises_what_broke_it() -> None:
    app = App()

    @app.get("/half")
    async def half() -> AsyncIterator[str]:
        yield "half"
        raise Broken("in the middle")

    with TestClient(app) as client:
        with pytest.raises(Broken, match="in the middle"):
            client.get("/half")
        with pytest.raises(BadReply, match="in the middle of the answer"):
            client.get("/half", raise_errors=False)
