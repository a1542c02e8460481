"""`/livez` and `/readyz`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kingpost import App, Request
from kingpost.app.compile import compile_app
from kingpost.checks import Health
from kingpost.checks.health import failing
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient
from tests.waiting import until


class Database:
    def __init__(self) -> None:
        self.is_up = True
        self.opened = 0
        self.closed = 0


class Session:
    def __init__(self, database: Database) -> None:
        self.database = database


def app_of(database: Database) -> App:
    app = App(plugins=[Health()])

    @app.provide(scope="app")
    async def made() -> AsyncIterator[Database]:
        yield database

    @app.provide
    def session(database: Database) -> Iterator[Session]:
        database.opened += 1
        yield Session(database)
        database.closed += 1

    @app.extensions.health
    def database_answers(session: Session) -> None:
        if not session.database.is_up:
            raise OSError("the password is 'secret'")

    @app.extensions.health(name="disk")
    async def anything() -> str:
        return "what is returned says nothing"

    return app


def test_an_app_lives_and_is_ready() -> None:
    database = Database()
    with TestClient(app_of(database)) as client:
        assert client.get("/livez").json() == {"status": "ok"}
        answer = client.get("/readyz")

    assert answer.json() == {"status": "ok", "checks": {"database-answers": "ok", "disk": "ok"}}
    assert answer.headers["cache-control"] == "no-store"
    assert (database.opened, database.closed) == (1, 1)


def test_an_app_whose_database_is_down_lives_and_is_not_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = Database()
    with TestClient(app_of(database)) as client:
        database.is_up = False
        answer, lives = client.get("/readyz"), client.get("/livez")
        database.is_up = True
        again = client.get("/readyz")

    assert (answer.status, lives.status, again.status) == (503, 200, 200)
    assert answer.json()["checks"] == {"database-answers": "failing", "disk": "ok"}
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_a_check_that_is_not_done_in_time_fails(caplog: pytest.LogCaptureFixture) -> None:
    app = App(plugins=[Health("/ops", timeout=0.05)])

    @app.extensions.health
    async def slow() -> None:
        await asyncio.sleep(60)

    @app.extensions.health
    async def quick() -> None: ...

    with TestClient(app) as client, caplog.at_level(logging.ERROR):
        answer = client.get("/ops/readyz")

    assert (answer.status, answer.json()["checks"]) == (503, {"slow": "failing", "quick": "ok"})
    assert "slow is not done within 0.05 s" in caplog.text


def test_a_check_that_is_cancelled_by_what_it_waits_for_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App(plugins=[Health()])

    @app.extensions.health
    async def pool() -> None:
        raise asyncio.CancelledError

    with TestClient(app) as client:
        answer = client.get("/readyz")

    assert (answer.status, answer.json()["checks"]) == (503, {"pool": "failing"})
    assert "pool was cancelled by what it waits for" in caplog.text


def test_a_check_that_hangs_on_a_thread_takes_one_thread_and_no_more() -> None:
    app, calls, may_end = App(plugins=[Health(timeout=0.05)]), list[str](), threading.Event()

    @app.extensions.health
    def hangs() -> None:
        calls.append("hangs")
        may_end.wait(60)

    with TestClient(app) as client:
        until(lambda: client.get("/readyz").status == 503 and calls)
        answers = [client.get("/readyz").status for _ in range(3)]
        assert (answers, calls) == ([503] * 3, ["hangs"])
        may_end.set()
        # Once it has ended it is asked again.
        until(lambda: client.get("/readyz").status == 200)


def test_checks_end_with_whoever_asked() -> None:
    ended: list[str] = []

    class Endless:
        async def called(self, values: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("ended")

    async def main() -> None:
        checks: Any = {"endless": Endless()}
        asked = asyncio.ensure_future(failing(checks, 60, {}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        # What was cancelled ends in the next turn of the loop.
        await asyncio.sleep(0)
        # Not behind the loop's own end, which cancels whatever is left.
        assert ended == ["ended"]

    asyncio.run(main())


def test_without_checks_an_app_is_ready() -> None:
    with TestClient(App(plugins=[Health()])) as client:
        assert client.get("/readyz").json() == {"status": "ok", "checks": {}}


def test_the_health_of_a_mounted_app_counts() -> None:
    outer, inner = App(plugins=[Health()]), App()
    inner.add_route("/", lambda: "here", name="home")

    @inner.extensions.health
    def down() -> None:
        raise OSError

    outer.mount("/inner", inner)
    with TestClient(outer) as client:
        assert client.get("/readyz").json()["checks"] == {"down": "failing"}


@pytest.mark.parametrize("timeout", [0, -1, True, "5", float("nan"), float("inf")])
def test_a_timeout_is_a_number_of_seconds(timeout: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Health(timeout=timeout)  # type: ignore[arg-type]  # what is refused

    assert refused.value.code == "checks.bad-timeout"


def test_a_check_that_asks_for_a_request_is_refused_at_start() -> None:
    app = App()

    @app.extensions.health
    def asked(request: Request) -> None: ...

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "injection.scope"
    assert "it is asked without a request" in str(refused.value)


def test_two_checks_of_one_name_are_both_named() -> None:
    app = App()
    app.extensions.health(name="disk")(lambda: None)

    with pytest.raises(ConfigurationError) as refused:
        app.extensions.health(name="disk")(lambda: None)

    assert refused.value.code == "extensions.taken"
    assert len(refused.value.places) == 2
