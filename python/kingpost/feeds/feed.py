"""`Feed`: one source of events for all who follow it, in all workers.

Rule 1: events are numbered over all workers of the service, and an id says of which run of the service it is. So a browser may come back to
another worker, or after a reload, and goes on where it was.
Rule 2: a follower has a place in the feed and no queue of its own: one that is too slow misses events, and is told.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import msgspec
import msgspec.inspect

from kingpost import limits
from kingpost.errors import ConfigurationError
from kingpost.feeds.log import Entry, Log
from kingpost.feeds.polled import Polled
from kingpost.http.counting import keep_here
from kingpost.http.request import Request
from kingpost.http.sse import PING, Event, EventStream, last_event_id
from kingpost.server.shared import Shared, here
from kingpost.types import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from kingpost.app.application import App

T = TypeVar("T")

FOR_EVER: Final = 10 * 365 * 24 * 3600.0
"""Seconds for which numbers are counted on: the service ends sooner."""
PATIENCE: Final = 1.0
"""Seconds that an event waits for one before it, which may be lost; and a new worker for what the others know."""
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ID = re.compile(r"([0-9a-f]{1,16})-(0|[1-9][0-9]{0,17})", re.ASCII)


class Said(msgspec.Struct, array_like=True, frozen=True):
    """What workers tell each other: events, numbers that stand for none, and questions."""

    entries: list[Entry] = []
    hole: int = 0
    asks: bool = False
    floor: int = -1
    last: int = -1


class Feed(Generic[T]):
    """What happens, in order, for all who follow it.

    It is installed, and then followed by any number of clients: `return feed.stream(request)` by server-sent events, `await feed.poll(after)` by
    long polling. Who comes back with the id of what it has seen last is sent what it has missed. With several workers, an event that is added in one
    is seen by the followers of all.

    Args:
        name: of the feed; small letters, digits and single dashes.
        type: of the data: a Struct, or what else JSON can be read as.
        keep: Events that are kept for those who come back.
        replay: Of these, how many a client is sent that comes for the first time.

    Raises:
        ConfigurationError: `feeds.bad-name`, `feeds.bad-type`, `feeds.bad-size`.

    Example:
        ```python
        from kingpost import App, EventStream, Request
        from kingpost.feeds import Feed

        news = Feed("news", str)
        app = App(plugins=[news])

        @app.get("/news")
        async def follow(request: Request) -> EventStream[str]:
            return news.stream(request)

        @app.post("/news")
        async def add(text: str) -> None:
            news.add(text)
        ```
    """

    requires: Sequence[str] = ()

    def __init__(
        self, name: str, type: type[T], *, keep: int = limits.FEED_EVENTS, replay: int = 0
    ) -> None:
        place = Place.of_caller()
        if not NAME.fullmatch(name):
            raise refused(
                "bad-name", f"{name!r} is no name of a feed", 'write such as "news"', place
            )
        if keep < 1 or not 0 <= replay <= keep:
            raise refused(
                "bad-size",
                f"keep={keep!r}, replay={replay!r}: 1 or more are kept, and no more of them are replayed",
                f"write keep={limits.FEED_EVENTS}",
                place,
            )
        if not is_of_json(type):
            raise refused("bad-type", f"{type!r} cannot be read from JSON", "give a Struct", place)
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(type)
        self.name = f"feed-{name}"
        self._kind = f"feed.{name}"
        self._type = type
        self._replay = replay
        self._log = Log(keep, limits.FEED_BYTES)
        self._run = ""
        self._shared: Shared | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Future[None] | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._opened = 0.0
        self._is_told = True
        self._asked = 0

    def install(self, app: App, /) -> None:
        """What `app.install` calls."""
        keep_here("Feed")
        app.lifespan(self._open)

    # -- adding --------------------------------------------------------------------------------------------------

    def add(self, data: T, /, *, event: str = "") -> str:
        """Add an event, from any thread; its id.

        Args:
            data: what has happened.
            event: the name under which scripts listen.

        Raises:
            TypeError: the data is not of the feed's type.
            ValueError: a line end in `event`; the data has more than 1 MiB as JSON.
            RuntimeError: nobody serves the App that it is installed on.
        """
        shared, loop = self._shared, self._loop
        if shared is None or loop is None:
            raise self._unserved()
        # It is refused here where its name could not be sent.
        Event("", event=event or None)
        encoded = msgspec.json.encode(data)
        try:
            self._decoder.decode(encoded)
        except msgspec.ValidationError as error:
            raise TypeError(f"{data!r} is no {self._type!r}: {error}") from error
        if len(encoded) > limits.FEED_EVENT_BYTES:
            raise ValueError(
                f"an event of {len(encoded)} bytes: it can have {limits.FEED_EVENT_BYTES} at most"
            )
        number = self._number(shared)
        entry = Entry(number, event, encoded)
        shared.bus.send(self._kind, msgspec.json.encode(Said([entry])))
        if is_running(loop):
            self._take(entry)
        else:
            loop.call_soon_threadsafe(self._take, entry)
        return self._id(number)

    def _number(self, shared: Shared) -> int:
        # The end of the window is the same for all workers, and differs from one run of the service to the next.
        now = round(time.monotonic(), 3)
        number, left = shared.counters.hit(self._kind, FOR_EVER, now=now)
        self._run = f"{round((now + left) * 1000):x}"
        return number

    def _id(self, number: int) -> str:
        return f"{self._run}-{number}"

    # -- following -----------------------------------------------------------------------------------------------

    def stream(self, request: Request, /, *, ping: float | None = PING) -> EventStream[T]:
        """An answer of events: those that the client has missed, as it says by `Last-Event-ID`, then what happens.

        Where events are lost between, one called "lost" comes first: the page loads anew what it shows.

        Args:
            request: that is answered.
            ping: as of `EventStream`.
        """
        return EventStream(self.events(last_event_id(request)), ping=ping)

    async def events(self, after: str | None = None) -> AsyncIterator[Event[T]]:
        """What happens behind the event with an id, without end; of None, from now on.

        Args:
            after: an id of this feed; one that it does not know stands for an event that is lost.
        """
        number, lost = await self._place(after)
        # So that who has seen nothing yet has an id to come back with.
        yield cast("Event[T]", Event(id=self._id(number), retry=RETRY))
        while True:
            entries, fell_out = self._log.after(number)
            last = self._log.last
            if lost or fell_out:
                lost = False
                yield cast("Event[T]", Event("", event="lost", id=self._id(number)))
            for each in entries:
                yield self._event(each)
            number = last
            if number >= self._log.last:
                await self._change()

    async def poll(
        self,
        after: str | None = None,
        /,
        *,
        timeout: float = 25.0,  # noqa: ASYNC109 - it ends well, with no events
    ) -> Polled[T]:
        """What has happened behind the event with an id; where nothing has, this waits.

        Args:
            after: what the last answer has said as `last`; None or empty at first.
            timeout: seconds, > 0, after which it is answered all the same; less than proxies wait.
        """
        number, lost = await self._place(after or None)
        try:
            async with asyncio.timeout(timeout):
                while not lost and number >= self._log.last:
                    await self._change()
        except TimeoutError:
            pass
        entries, fell_out = self._log.after(number)
        events = [self._decoder.decode(each.data) for each in entries]
        return Polled(events, self._id(max(self._log.last, number)), lost or fell_out)

    def _event(self, entry: Entry) -> Event[T]:
        data = self._decoder.decode(entry.data)
        return Event(data, event=entry.event or None, id=self._id(entry.number))

    async def _place(self, after: str | None) -> tuple[int, bool]:
        """Where a follower begins, and whether it has lost something.

        Raises:
            RuntimeError: as `add`.
        """
        if self._loop is None:
            raise self._unserved()
        if after is None:
            return self._log.newest(self._replay), False
        said = ID.fullmatch(after)
        if said is None or said[1] != self._run:
            return self._log.newest(self._replay), True
        number = int(said[2])
        if number < self._log.floor:
            # What the other workers know may be on its way still.
            await self._until(lambda: self._is_told, self._opened + PATIENCE)
        if number > self._log.last and not self._is_alone:
            # Seen in another worker, and on its way to this one.
            await self._until(lambda: number <= self._log.last, time.monotonic() + PATIENCE)
        # What is to come cannot have been seen: it was made up.
        return min(number, self._log.last), number > self._log.last

    async def _until(self, is_so: Callable[[], bool], end: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, end - time.monotonic())):
                while not is_so():
                    await self._change()
        except TimeoutError:
            return

    @property
    def _is_alone(self) -> bool:
        return self._shared is None or self._shared.workers == 1

    def _change(self) -> asyncio.Future[None]:
        """Done when something was added."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        # One that gives up does not end the wait of the others.
        return asyncio.shield(self._changed)

    # -- between workers -----------------------------------------------------------------------------------------

    async def _open(self) -> AsyncIterator[None]:
        shared = self._shared = here()
        self._loop = asyncio.get_running_loop()
        undo: Callable[[], None] = shared.bus.listen(self._kind, self._hear)
        self._opened = time.monotonic()
        number = self._number(shared)
        self._log.begin(number)
        self._is_told = self._is_alone
        shared.bus.send(self._kind, msgspec.json.encode(Said(hole=number, asks=True)))
        try:
            yield
        finally:
            undo()
            self._shared = self._loop = None
            if self._giving_up is not None:
                self._giving_up.cancel()
            self._wake()

    def _hear(self, payload: bytes) -> None:
        said = SAID.decode(payload)
        if said.hole:
            self._take_number(said.hole, None)
        if said.asks:
            self._asked = max(self._asked, said.hole)
            self._tell()
        elif said.floor >= 0:
            self._log.take_earlier(said.entries, said.floor, said.last)
            self._is_told = True
            self._wake()
        else:
            for entry in said.entries:
                self._take(entry)

    def _tell(self) -> None:
        """Answer who has asked, once all is here that was before it began."""
        if self._shared is None or not 0 < self._asked <= self._log.last:
            return
        self._asked = 0
        entries, floor = self._log.tail(limits.FEED_TOLD_BYTES)
        answer = Said(list(entries), floor=floor, last=self._log.last)
        self._shared.bus.send(self._kind, msgspec.json.encode(answer))

    def _take(self, entry: Entry) -> None:
        self._take_number(entry.number, entry)

    def _take_number(self, number: int, entry: Entry | None) -> None:
        if self._log.take(number, entry):
            self._wake()
        if self._log.is_waiting and self._giving_up is None and self._loop is not None:
            self._giving_up = self._loop.call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        self._giving_up = None
        if self._log.give_up():
            self._wake()

    def _unserved(self) -> RuntimeError:
        return RuntimeError(f"{self!r} is not served: install it, and use it in handlers")

    def _wake(self) -> None:
        self._tell()
        changed, self._changed = self._changed, None
        if changed is not None and not changed.done():
            changed.set_result(None)

    def __repr__(self) -> str:
        return f"Feed({self._kind.removeprefix('feed.')!r})"


SAID: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)
RETRY: Final = 2_000
"""Milliseconds after which a browser comes back that was cut off."""


def is_of_json(type: Any) -> bool:
    """Whether values of a type come back from JSON as they were."""
    try:
        return not isinstance(msgspec.inspect.type_info(type), msgspec.inspect.CustomType)
    except TypeError:
        return False


def is_running(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this is the loop of the calling thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def refused(code: str, problem: str, remedy: str, place: Place) -> ConfigurationError:
    return ConfigurationError(problem, code=f"feeds.{code}", remedy=remedy, places=[place])
