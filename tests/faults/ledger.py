"""A ledger, a load that asks it, and what must be true afterwards: what was acknowledged is there once, and no sum is lost."""

from __future__ import annotations

import http.client
import itertools
import socket
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self
from weakref import WeakKeyDictionary

from tests.waiting import PATIENCE, until

APP = """
import asyncio, os, sqlite3, time
from contextlib import closing
from pathlib import Path
from kingpost import App, Conflict

app = App()
FILE = Path(__file__).parent / "ledger.db"

def connect() -> sqlite3.Connection:
    db = sqlite3.connect(FILE, timeout=60, isolation_level=None)
    db.execute("pragma synchronous=off")
    return db

with closing(connect()) as db:
    db.execute("pragma journal_mode=wal")
    db.execute("create table if not exists accounts (name text primary key, amount int)")
    db.execute("create table if not exists transfers (id text primary key, amount int)")
    db.execute("insert or ignore into accounts values ('a', 1000), ('b', 1000)")

@app.get("/")
async def home() -> str:
    return f"version 1 {os.getpid()}"

@app.get("/sum")
def total() -> int:
    with closing(connect()) as db:
        return db.execute("select sum(amount) from accounts").fetchone()[0]

@app.post("/transfer/{key}")
def transfer(key: str, amount: int) -> str:
    with closing(connect()) as db:
        db.execute("begin immediate")
        db.execute("insert into transfers values (?, ?)", (key, amount))
        db.execute("update accounts set amount = amount - ? where name = 'a'", (amount,))
        db.execute("update accounts set amount = amount + ? where name = 'b'", (amount,))
        db.execute("commit")
    return key

@app.get("/slow")
async def slow() -> str:
    print("begun", flush=True)
    await asyncio.sleep(0.5)
    return "finished"

@app.get("/never")
async def never() -> str:
    print("begun", flush=True)
    await asyncio.Event().wait()
    return ""

@app.get("/abort")
async def abort() -> str:
    os.abort()

@app.get("/block")
async def block() -> str:
    time.sleep(600)
    return ""
"""


QUIET = 4.0
"""Seconds: somewhat less than a worker whose place another has taken leaves connections on which nobody asks."""
QUIET_AT_THE_END = 0.2
"""The same of a service that stops."""


class Load:
    """Asks the ledger from several threads, each on a connection that it keeps, and writes down what came of each request."""

    def __init__(self, port: int, threads: int = 4, quiet: float = QUIET) -> None:
        self.port = port
        self.quiet = quiet
        """Seconds after which a request may meet that its connection is closed."""
        self.acknowledged: list[str] = []
        self.unanswered: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.pids: Counter[int] = Counter()
        self._keys = itertools.count()
        self._used: WeakKeyDictionary[http.client.HTTPConnection, float] = WeakKeyDictionary()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._over.is_set():
            key = f"t{next(self._keys)}"
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(
                        "127.0.0.1", self.port, timeout=PATIENCE
                    )
                    connection.connect()
            except OSError as error:
                self.outcomes[f"connect: {type(error).__name__}"] += 1
                connection = None
                continue
            if not self._ask(connection, key):
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection, key: str) -> bool:
        used = self._used.get(connection)
        asked = None
        try:
            connection.request("POST", f"/transfer/{key}?amount=1")
            # Behind it: what holds this thread up while it asks is none of the server's doing either.
            asked = time.monotonic()
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            # A worker that leaves closes connections on which nobody has asked for a while. Only where this thread was held up for
            # so long itself, since it has asked there last, may a request meet that on its way.
            is_late = used is not None and (asked or time.monotonic()) - used > self.quiet
            what = "too late" if is_late else "unanswered"
            self.outcomes["unanswered at first" if used is None else what] += 1
            self.unanswered.append(key)
            return False
        self._used[connection] = asked
        if response.status == 200 and body.decode() == key:
            self.acknowledged.append(key)
        self.outcomes[str(response.status)] += 1
        return not response.will_close

    def check(self, file: Path) -> None:
        """What was acknowledged is in the ledger once, what was not is there whole or not at all, and the sum is what it was."""
        with sqlite3.connect(file) as db:
            kept = [row[0] for row in db.execute("select id from transfers")]
            amounts = dict(db.execute("select name, amount from accounts"))
        db.close()
        assert set(self.acknowledged) <= set(kept)
        assert len(self.acknowledged) == len(set(self.acknowledged))
        assert set(kept) <= set(self.acknowledged) | set(self.unanswered)
        assert amounts == {"a": 1000 - len(kept), "b": 1000 + len(kept)}


def connect_to_all(port: int, count: int) -> dict[int, socket.socket]:
    """A connection to each of so many workers, by process."""
    found: dict[int, socket.socket] = {}

    def connect() -> bool:
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        pid = int(answer_of(connection).rpartition(" ")[2])
        if pid in found:
            connection.close()
        else:
            found[pid] = connection
        return len(found) == count

    until(connect, pause=0, shows=lambda: f"{len(found)} of {count} workers have answered")
    return found


def answer_of(connection: socket.socket) -> str:
    """One answer with a content-length, head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data.decode()
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()
