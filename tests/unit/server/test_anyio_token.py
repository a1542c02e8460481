"""anyio in worker threads that were there before it: each program runs in an interpreter that has not imported it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

START = """
import sys
import threading

from kingpost import App
from kingpost.testing import TestClient

app = App()


async def where():
    return threading.current_thread() is threading.main_thread()


@app.get("/before")
def before():
    return threading.current_thread().name


@app.get("/inside")
def inside():
    import anyio.from_thread

    return anyio.from_thread.run(where)
"""


def printed(program: str) -> str:
    """What a program prints that begins with START."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-P", "-c", START + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_handler_may_be_the_first_to_import_anyio() -> None:
    said = printed("""
        with TestClient(app) as client:
            thread = client.get("/before").text
            assert "anyio" not in sys.modules
            first = client.get("/inside")
            print(thread, first.json(), client.get("/inside").json())
    """)

    assert said == "kingpost-worker-1 True True"


def test_a_handler_that_runs_while_another_imports_anyio_finds_the_loop_too() -> None:
    said = printed("""
        running, imported = threading.Barrier(2), threading.Event()


        @app.get("/waiting")
        def waiting():
            running.wait(10)
            imported.wait(10)
            return inside()


        @app.get("/importing")
        def importing():
            running.wait(10)
            try:
                return inside()
            finally:
                imported.set()


        import asyncio
        from kingpost.testing import AsyncTestClient


        async def main():
            async with AsyncTestClient(app) as client:
                return await asyncio.gather(client.get("/waiting"), client.get("/importing"))


        print(*[answer.json() for answer in asyncio.run(main())])
    """)

    assert said == "True True"


@pytest.mark.parametrize(
    "line", ["import anyio", "import anyio.abc", "from anyio import from_thread"]
)
def test_what_runs_on_the_loop_may_be_the_first_to_import_anyio(line: str) -> None:
    said = printed(f"""
        @app.get("/on-the-loop")
        async def on_the_loop():
            {line}
            return "anyio" in sys.modules


        with TestClient(app) as client:
            client.get("/before")
            print(client.get("/on-the-loop").json(), client.get("/inside").json())
    """)

    assert said == "True True"


def test_a_thread_of_somebody_else_still_needs_a_token() -> None:
    said = printed("""
        @app.get("/own")
        def own():
            inside()
            said = []

            def run():
                try:
                    inside()
                except RuntimeError as error:
                    said.append(type(error).__name__)

            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            return said


        with TestClient(app) as client:
            client.get("/before")
            print(*client.get("/own").json())
    """)

    assert said == "NoEventLoopError"


def test_nothing_is_left_of_the_wait_once_anyio_is_there() -> None:
    said = printed("""
        before = list(sys.meta_path)
        with TestClient(app) as client:
            client.get("/before")
            print(len(sys.meta_path) - len(before), end=" ")
            client.get("/inside")
        print(sys.meta_path == before, end=" ")

        import inspect
        from anyio._core import _eventloop

        print("threadlocals = " in inspect.getsource(_eventloop), type(_eventloop.__loader__).__name__)
    """)

    assert said == "1 True True SourceFileLoader"


def test_a_program_without_anyio_goes_on_without_it() -> None:
    said = printed("""
        class Nothing:
            def find_spec(self, name, path, target=None):
                if name.partition(".")[0] == "anyio":
                    raise ModuleNotFoundError(name)


        sys.meta_path.insert(0, Nothing())


        @app.get("/without")
        def without():
            try:
                inside()
            except ModuleNotFoundError as error:
                return str(error)


        with TestClient(app) as client:
            client.get("/before")
            print(client.get("/without").text, client.get("/without").text)
    """)

    assert said == "anyio anyio"
