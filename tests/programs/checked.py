"""An App that says what is wrong with it, whether it is ready, and some numbers; all of it from one plugin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kingpost import App, Settings
from kingpost.checks import Health, Metrics, Problem


class PostSettings(Settings):
    mail_to: str = ""


class Outbox:
    def __init__(self) -> None:
        self.waiting = {"now": 2, "later": 1}
        self.is_open = True


class Post:
    """The plugin."""

    name = "post"
    requires: Sequence[str] = ("health", "metrics")

    def __init__(self) -> None:
        self.outbox = Outbox()

    def install(self, app: App, /) -> None:
        def outbox() -> Outbox:
            return self.outbox

        app.provide(scope="app", inline=True)(outbox)
        app.extensions.check(someone_is_told)
        app.extensions.health(name="outbox")(opens)
        app.extensions.metric("post_waiting", label="when")(waiting)
        app.extensions.metric("post_full", kind="counter")(full)


def someone_is_told(settings: PostSettings) -> Iterator[Problem]:
    if not settings.mail_to:
        yield Problem("nobody is told of errors", "set MAIL_TO")


def opens(outbox: Outbox) -> None:
    if not outbox.is_open:
        raise OSError("the outbox is locked")


async def waiting(outbox: Outbox) -> dict[str, int]:
    """Mails that wait."""
    return outbox.waiting


def full() -> float:
    return 0.0


app = App(settings=PostSettings, plugins=[Post(), Health(), Metrics()])
