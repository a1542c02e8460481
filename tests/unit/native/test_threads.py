from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from functools import partial

import anyio.from_thread

from kingpost import _native
from kingpost.server.threads import from_thread
from tests.waiting import PATIENCE, until_async

from .service import Route, serving

number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)


def test_a_def_handler_runs_on_a_named_daemon_thread() -> None:
    def handler() -> str:
        thread = threading.current_thread()
        return f"{thread.name} {thread.daemon} {thread is threading.main_thread()}"

    async def main() -> None:
        async with serving([("/", handler, "thread", {})]) as service:
            status, body = await service.get("/")
            assert (status, body.split()[0][:16], body.split()[1:]) == (
                200,
                b"kingpost-worker-",
                [b"True", b"False"],
            )

    asyncio.run(main())


def test_context_goes_in_and_does_not_come_back() -> None:
    number.set(7)

    def handler() -> str:
        seen = number.get()
        number.set(seen + 1)
        return str(seen)

    async def main() -> None:
        async with serving(
            [("/", handler, "thread", {}), ("/inline", handler, "inline", {})]
        ) as service:
            for path in ("/", "/", "/inline", "/inline"):
                assert await service.get(path) == (200, b"7")
            assert number.get() == 7

    asyncio.run(main())


def test_blocking_handlers_get_more_threads() -> None:
    # Two threads would wait for a third one in vain; how fast the pool grows further is not promised.
    together = threading.Barrier(3)

    def handler() -> str:
        together.wait(PATIENCE)
        return "ok"

    async def main() -> None:
        async with serving([("/", handler, "thread", {})], threads=8) as service:
            results = await asyncio.gather(*(service.get("/") for _ in range(24)))
            assert set(results) == {(200, b"ok")}
            assert 2 < service.server.stats()["threads"] <= 8

    asyncio.run(main())


def test_a_full_queue_is_answered_with_503_and_the_rest_is_served() -> None:
    running, release = threading.Event(), threading.Event()

    def handler() -> str:
        running.set()
        release.wait(PATIENCE)
        return "ok"

    async def main() -> None:
        async with serving([("/", handler, "thread", {})], threads=1, queue=2) as service:
            waiting = [asyncio.ensure_future(service.get("/"))]
            assert await asyncio.to_thread(running.wait, PATIENCE)
            waiting += [asyncio.ensure_future(service.get("/")) for _ in range(5)]
            await until_async(lambda: sum(task.done() for task in waiting) >= 3)
            refused = [task.result() for task in waiting if task.done()]
            release.set()
            served = [result for result in await asyncio.gather(*waiting) if result[0] == 200]
            assert [status for status, _ in refused] == [503] * len(refused)
            assert b"server.queue-full" in refused[0][1]
            # One runs and two wait.
            assert (len(refused), len(served)) == (3, 3)

    asyncio.run(main())


def test_work_that_has_not_begun_is_dropped_when_its_client_has_left() -> None:
    running, release = threading.Event(), threading.Event()
    begun: list[str] = []

    def block() -> str:
        running.set()
        release.wait(PATIENCE)
        return "ok"

    def work() -> str:
        begun.append("work")
        return "done"

    async def main() -> None:
        routes: list[Route] = [("/block", block, "thread", {}), ("/work", work, "thread", {})]
        async with serving(routes, threads=1, queue=3) as service:
            blocked = asyncio.ensure_future(service.get("/block"))
            assert await asyncio.to_thread(running.wait, PATIENCE)
            for method in ("GET", "POST", "POST"):
                async with service.connect() as (_, writer):
                    writer.write(f"{method} /work HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                    await until_async(lambda: service.server.stats()["jobs_waiting"] == 1)
                    # As long as clients are, who only close what they send on.
                    await asyncio.sleep(0.15)
                await until_async(lambda: service.server.stats()["jobs_waiting"] == 0)
            assert service.server.stats()["in_flight"] == 1
            stays = asyncio.ensure_future(service.get("/work"))
            await until_async(lambda: service.server.stats()["jobs_waiting"] == 1)
            release.set()
            assert await blocked == (200, b"ok")
            assert await stays == (200, b"done")
            assert begun == ["work"]

    asyncio.run(main())


def test_a_full_queue_has_room_when_the_clients_in_it_have_left() -> None:
    running, release = threading.Event(), threading.Event()

    def block() -> str:
        running.set()
        release.wait(PATIENCE)
        return "ok"

    async def main() -> None:
        async with serving([("/", block, "thread", {})], threads=1, queue=2) as service:
            blocked = asyncio.ensure_future(service.get("/"))
            assert await asyncio.to_thread(running.wait, PATIENCE)

            def are_waiting(many: int) -> bool:
                return service.server.stats()["jobs_waiting"] == many

            for waiting in (1, 2):
                # At once: they may still be waiting for what they have asked for.
                async with service.connect() as (_, writer):
                    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                    writer.write_eof()
                    await until_async(partial(are_waiting, waiting))
            third = asyncio.ensure_future(service.get("/"))
            await until_async(lambda: service.server.stats()["jobs_waiting"] == 1)
            release.set()
            assert await blocked == (200, b"ok")
            assert await third == (200, b"ok")

    asyncio.run(main())


def test_a_client_that_only_has_no_more_to_say_is_answered_by_a_thread() -> None:
    def handler() -> str:
        return "ok"

    async def main() -> None:
        async with (
            serving([("/", handler, "thread", {})]) as service,
            service.connect() as (
                reader,
                writer,
            ),
        ):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            writer.write_eof()
            assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"ok")

    asyncio.run(main())


def test_a_call_that_waits_for_a_thread_is_dropped_with_the_task_that_waits_for_it() -> None:
    running, release = threading.Event(), threading.Event()
    servers: list[_native.Server] = []

    def block() -> str:
        running.set()
        release.wait(PATIENCE)
        return "ok"

    async def calling() -> object:
        return await servers[0].call_in_thread(lambda: "called")

    async def main() -> None:
        routes: list[Route] = [("/", block, "thread", {}), ("/call", calling, "async", {})]
        async with serving(routes, threads=1, queue=2) as service:
            servers.append(service.server)
            blocked = asyncio.ensure_future(service.get("/"))
            assert await asyncio.to_thread(running.wait, PATIENCE)
            async with service.connect() as (_, writer):
                writer.write(b"GET /call HTTP/1.1\r\nhost: x\r\n\r\n")
                await until_async(lambda: service.server.stats()["jobs_waiting"] == 1)
            await until_async(lambda: service.server.stats()["jobs_waiting"] == 0)
            release.set()
            assert await blocked == (200, b"ok")

    asyncio.run(main())


def test_an_exception_of_a_thread_is_answered_and_the_thread_lives() -> None:
    def handler() -> str:
        raise LookupError("nothing")

    async def main() -> None:
        async with serving([("/", handler, "thread", {})]) as service:
            for _ in range(5):
                assert await service.get("/") == (500, b"LookupError")
            assert service.server.stats()["threads"] <= 2

    asyncio.run(main())


def test_a_def_handler_calls_into_the_loop_and_so_does_anyio() -> None:
    loop_thread = threading.get_ident()

    async def where(who: str) -> str:
        await asyncio.sleep(0)
        return f"{who} {number.get()} {threading.get_ident() == loop_thread}"

    def handler() -> str:
        number.set(5)
        return f"{from_thread(where, 'ours')}, {anyio.from_thread.run(where, 'anyio')}"

    async def main() -> None:
        async with serving([("/", handler, "thread", {})]) as service:
            assert await service.get("/") == (200, b"ours 5 True, anyio 5 True")

    asyncio.run(main())


def test_a_trace_function_set_before_the_start_is_called_in_all_of_them() -> None:
    names: set[str] = set()

    def thread_handler() -> str:
        return "ok"

    def inline_handler() -> str:
        return "ok"

    async def async_handler() -> str:
        await asyncio.sleep(0)
        return "ok"

    def trace(frame: object, event: str, argument: object) -> None:
        code = getattr(frame, "f_code", None)
        names.add(getattr(code, "co_name", ""))

    async def main() -> None:
        routes = [
            ("/thread", thread_handler, "thread", {}),
            ("/inline", inline_handler, "inline", {}),
            ("/async", async_handler, "async", {}),
        ]
        async with serving(routes) as service:
            for path in ("/thread", "/inline", "/async"):
                assert await service.get(path) == (200, b"ok")

    before = sys.gettrace()
    threading.settrace(trace)  # type: ignore[arg-type]  # typeshed wants a narrower function
    sys.settrace(trace)  # type: ignore[arg-type]  # typeshed wants a narrower function
    try:
        asyncio.run(main())
    finally:
        sys.settrace(before)
        threading.settrace(before)  # type: ignore[arg-type]  # typeshed wants a narrower function

    assert {"thread_handler", "inline_handler", "async_handler"} <= names


def test_a_stop_leaves_a_thread_that_is_stuck_in_user_code() -> None:
    stuck, release = threading.Event(), threading.Event()
    log: list[str] = []

    def handler() -> str:
        stuck.set()
        release.wait(PATIENCE)
        log.append("handler over")
        return "late"

    async def main() -> None:
        async with serving([("/", handler, "thread", {})]) as service:
            request = asyncio.ensure_future(service.get("/"))
            assert await asyncio.to_thread(stuck.wait, PATIENCE)
            asyncio.get_running_loop().remove_reader(service.server.fileno())
            service.server.close()
            log.append("closed")
            release.set()
            request.cancel()

    asyncio.run(main())
    assert log[0] == "closed"
