"""A panic of our own code costs the request that it happens in: not the worker, not its memory (F15).

Needs an extension with failpoints, which is built here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import kingpost
from tests.needs import need

ROOT = Path(__file__).parents[2]
# Half of them panic.
REQUESTS = 200_000

PROGRAM = textwrap.dedent(
    """
    import asyncio, os, resource
    from kingpost import _native
    from tests.unit.native.service import serving

    async def handler() -> str:
        return "ok"

    async def suspending() -> str:
        await asyncio.sleep(0)
        return "ok"

    async def ask(service, path: bytes, count: int) -> tuple[int, int]:
        fine = failed = 0
        async with service.connect() as (reader, writer):
            for _ in range(count // 10):
                writer.write((b"GET " + path + b" HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n") * 10)
                for _ in range(10):
                    head = await asyncio.wait_for(reader.readuntil(b"\\r\\n\\r\\n"), 60)
                    length = int(head.lower().partition(b"content-length: ")[2].split(b"\\r\\n")[0])
                    await reader.readexactly(length)
                    if b" 200 " in head[:16]:
                        fine += 1
                    else:
                        assert b" 500 " in head[:16], head
                        failed += 1
        return fine, failed

    def memory() -> int:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    async def main() -> None:
        async with serving([("/", handler, "async", {{}}), ("/s", suspending, "async", {{}})]) as service:
            _native.panic_every(2)
            pid = os.getpid()
            await ask(service, b"/", 2000)
            await ask(service, b"/s", 2000)
            before = memory()
            plain = await ask(service, b"/", {requests} // 2)
            suspended = await ask(service, b"/s", {requests} // 2)
            _native.panic_every(0)
            after = await ask(service, b"/", 100)
            assert os.getpid() == pid
            assert service.server.in_flight == 0
            print(plain, suspended, after, (memory() - before) < 4_000_000)

    asyncio.run(main())
    """
)

# Every second pass of each place panics; what the client saw, and whether all threads, memory and tasks are still there.
PLACES = textwrap.dedent(
    """
    import asyncio
    from kingpost import _native
    from tests.unit.native.service import serving

    async def suspending() -> str:
        await asyncio.sleep(0)
        return "ok"

    def threaded() -> str:
        return "ok"

    async def chunks():
        await asyncio.sleep(0)
        yield "o"
        yield "k"

    def thread_chunks():
        yield "o"
        yield "k"

    servers = []

    async def calling() -> str:
        try:
            return await servers[0].call_in_thread(lambda: "ok")
        except RuntimeError as error:
            return str(error)

    async def ready_chunks():
        yield "ok"

    # An asynchronous body of a `def`: a thread hands it to the loop.

    def handing_over():
        return chunks()

    def handing_over_ready():
        return ready_chunks()

    ROUTES = [
        ("/suspending", suspending, "async", {{}}),
        ("/threaded", threaded, "thread", {{}}),
        ("/chunks", chunks, "asyncgen", {{}}),
        ("/thread-chunks", thread_chunks, "thread", {{}}),
        ("/calling", calling, "async", {{}}),
        ("/handing-over", handing_over, "thread", {{}}),
        ("/handing-over-ready", handing_over_ready, "thread", {{}}),
    ]

    async def ask(service, path: str) -> str:
        async with service.connect() as (reader, writer):
            writer.write(f"GET {{path}} HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n".encode())
            try:
                answer = await asyncio.wait_for(reader.read(), 30)
            except ConnectionError:
                return "cut"
        head, _, body = answer.partition(b"\\r\\n\\r\\n")
        if not head:
            return "cut"
        if b"chunked" in head and not body.endswith(b"0\\r\\n\\r\\n"):
            return "cut"
        return head.split()[1].decode() + (" defect" if b"a defect" in body else "")

    async def main() -> None:
        async with serving(ROUTES, threads=3) as service:
            servers.append(service.server)
            for path, place in {cases!r}:
                _native.panic_every(2, place)
                seen = [await ask(service, path) for _ in range(40)]
                _native.panic_every(0)
                # A thread may have its last look at what has been cut.
                while service.server.in_flight:
                    await asyncio.sleep(0.01)
                print(path, place, sorted(set(seen)), await ask(service, path), sep="|")
            # No thread has ended; each waits for a job again as soon as it is done with the last one.
            stats = service.server.stats()
            while stats["threads"] != stats["threads_idle"]:
                await asyncio.sleep(0.01)
                stats = service.server.stats()
            print(stats["threads"] > 0, stats["in_flight"])

    asyncio.run(main())
    """
)

# Route and place; what clients saw.
CASES = {
    ("/suspending", "settle"): ["200", "500"],
    ("/threaded", "settle in thread"): ["200", "500"],
    ("/threaded", "invoke"): ["200", "500"],
    ("/calling", "call"): ["200", "200 defect"],
    # One chunk of two: a head that is out can only be cut short.
    ("/thread-chunks", "chunk"): ["cut"],
    ("/chunks", "chunk"): ["cut"],
    ("/handing-over", "settle"): ["200", "cut"],
    ("/handing-over-ready", "settle"): ["200", "cut"],
}


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and an extension that has failpoints."""
    need(shutil.which("cargo"), "cargo", remedy="./dev test installs Rust")
    target = ROOT / ".cache" / "failpoints"
    command = ["cargo", "build", "-q", "-p", "kingpost-py", "--features", "failpoints"]
    subprocess.run(  # noqa: S603 - our own build and interpreter
        [*command, "--target-dir", str(target)],
        cwd=ROOT,
        check=True,
        env={**os.environ, "PYO3_PYTHON": sys.executable},
    )
    folder = tmp_path_factory.mktemp("failpoints")
    package = folder / "kingpost"
    shutil.copytree(
        Path(kingpost.__file__).parent,
        package,
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"),
    )
    built = next(
        path
        for name in ("lib_native.so", "lib_native.dylib")
        if (path := target / "debug" / name).exists()
    )
    shutil.copy(built, package / "_native.so")
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_every_second_request_panics_and_the_worker_and_its_memory_stay(extension: Path) -> None:
    program = PROGRAM.format(requests=REQUESTS)

    done = subprocess.run(  # noqa: S603 - our own build and interpreter
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": f"{extension}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )

    half = REQUESTS // 4
    assert done.stdout == f"({half}, {half}) ({half}, {half}) (100, 0) True\n", done.stderr[-2000:]


def test_a_panic_in_any_place_costs_its_request_alone(extension: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own build and interpreter
        [sys.executable, "-P", "-c", PLACES.format(cases=list(CASES))],
        env={**os.environ, "PYTHONPATH": f"{extension}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )

    expected = [f"{path}|{place}|{seen}|200" for (path, place), seen in CASES.items()]
    assert done.stdout.splitlines() == [*expected, "True 0"], done.stderr[-2000:]
