"""What lasts from start to stop: providers of scope "app", and lifespans."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, Settings, Struct
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient


class Pool(Struct):
    size: int = 1


class Cache(Struct):
    pool: Pool


class Sets(Settings):
    size: int = 3


@pytest.mark.parametrize("is_async", [False, True])
def test_they_are_made_once_in_order_and_ended_in_reverse(is_async: bool) -> None:
    app = App(settings=Sets)
    log: list[str] = []

    def pool(sets: Sets) -> Iterator[Pool]:
        log.append("pool")
        yield Pool(sets.size)
        log.append("pool ended")

    async def pool_async(sets: Sets) -> AsyncIterator[Pool]:
        log.append("pool")
        yield Pool(sets.size)
        log.append("pool ended")

    app.provide(scope="app")(pool_async if is_async else pool)

    @app.provide(scope="app")
    async def cache(pool: Pool) -> AsyncIterator[Cache]:
        log.append("cache")
        yield Cache(pool)
        log.append("cache ended")

    @app.lifespan
    async def first(cache: Cache) -> AsyncIterator[None]:
        log.append(f"first {cache.pool.size}")
        yield
        log.append("first ended")

    @app.lifespan
    def second() -> Iterator[None]:
        log.append("second")
        yield
        log.append("second ended")

    @app.get("/def")
    def show(cache: Cache, pool: Pool) -> bool:
        return cache.pool is pool

    @app.get("/async")
    async def show_async(cache: Cache, pool: Pool) -> bool:
        return cache.pool is pool

    with TestClient(app) as client:
        assert log == ["pool", "cache", "first 3", "second"]
        assert [client.get(path).json() for path in ("/def", "/async") * 2] == [True] * 4

    assert log[4:] == ["second ended", "first ended", "cache ended", "pool ended"]


def test_a_start_that_fails_ends_what_was_begun() -> None:
    app = App()
    log: list[str] = []

    @app.lifespan
    async def first() -> AsyncIterator[None]:
        yield
        log.append("first ended")

    @app.lifespan
    async def second() -> AsyncIterator[None]:
        raise OSError("no disk")
        yield

    client = TestClient(app)
    with pytest.raises(OSError, match="no disk"):
        client.__enter__()

    assert log == ["first ended"]


def test_a_process_whose_start_fails_says_so(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from kingpost import App\napp = App()\n\n@app.lifespan\nasync def opened():\n"
        "    raise OSError('no disk')\n    yield\n",
        encoding="utf-8",
    )

    done = subprocess.run(  # noqa: S603 - ourselves
        [Path(sys.executable).with_name("kingpost"), "run", "--port", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode != 0
    assert "no disk" in done.stderr + done.stdout


def test_a_function_that_gives_a_context_is_a_lifespan() -> None:
    app = App()
    log: list[str] = []

    @app.lifespan
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        log.append("opened")
        yield
        log.append("closed")

    with TestClient(app):
        assert log == ["opened"]

    assert log == ["opened", "closed"]


async def no_yield() -> None: ...
def nothing() -> None: ...
async def twice() -> AsyncIterator[None]:
    yield
    yield


def twice_def() -> Iterator[None]:
    yield
    yield


async def never() -> AsyncIterator[None]:
    return
    yield


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (no_yield, ConfigurationError, "the lifespan no_yield gives no context"),
        (nothing, ConfigurationError, "the lifespan nothing gives no context"),
        (twice, RuntimeError, "twice yields twice"),
        (twice_def, RuntimeError, "twice_def yields twice"),
        (never, RuntimeError, "never ended without a yield"),
    ],
)
def test_what_yields_not_once_is_none(
    function: Callable[..., Any], kind: type[Exception], words: str
) -> None:
    app = App()
    app.lifespan(function)

    with pytest.raises(kind, match=words):
        with TestClient(app):
            pass
