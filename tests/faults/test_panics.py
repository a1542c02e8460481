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
    import asyncio, os, resource, sys
    from kingpost import _native
    sys.path.insert(0, {tests!r})
    from service import serving

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
                    head = await asyncio.wait_for(reader.readuntil(b"\\r\\n\\r\\n"), 10)
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
    tests = str(Path(__file__).parents[1] / "unit" / "native")
    program = PROGRAM.format(tests=tests, requests=REQUESTS)

    done = subprocess.run(  # noqa: S603 - our own build and interpreter
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": str(extension)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    half = REQUESTS // 4
    assert done.stdout == f"({half}, {half}) ({half}, {half}) (100, 0) True\n", done.stderr[-2000:]
