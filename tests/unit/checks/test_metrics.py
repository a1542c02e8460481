"""Numbers in the text format of Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from kingpost import App
from kingpost.checks import Metrics
from kingpost.checks.exposition import number
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient


class Queue:
    def __init__(self) -> None:
        self.waiting = 3


def test_numbers_are_shown_with_their_help_and_kind() -> None:
    app = App(plugins=[Metrics()])

    @app.provide
    def queue() -> Iterator[Queue]:
        yield Queue()

    @app.extensions.metric("shop_waiting")
    def waiting(queue: Queue) -> int:
        """Orders that "wait".

        More is not shown.
        """
        return queue.waiting

    @app.extensions.metric("shop_sent_total", kind="counter", label="by")
    async def sent() -> dict[str, float]:
        return {'p"o\\s\nt': 2.5, "bike": 1}

    with TestClient(app) as client:
        answer = client.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith(
        '# HELP shop_waiting Orders that "wait".\n'
        "# TYPE shop_waiting gauge\n"
        "shop_waiting 3\n"
        "# TYPE shop_sent_total counter\n"
        'shop_sent_total{by="p\\"o\\\\s\\nt"} 2.5\n'
        'shop_sent_total{by="bike"} 1\n'
    )


def test_one_that_fails_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = App(plugins=[Metrics("/numbers")])

    @app.extensions.metric("broken")
    def broken() -> int:
        raise OSError("no")

    @app.extensions.metric("text")
    def text() -> str:
        return "3"

    @app.extensions.metric("unlabelled", label="by")
    def unlabelled() -> int:
        return 3

    @app.extensions.metric("whole")
    def whole() -> int:
        return 1

    with TestClient(app) as client:
        answer = client.get("/numbers")

    assert answer.text.endswith("\n# TYPE whole gauge\nwhole 1\n")
    for name in ("broken", "text", "unlabelled"):
        assert f"the metric {name} fails" in caplog.text


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "1"), (0.1, "0.1"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)
def test_numbers_are_written_as_prometheus_reads_them(value: float, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize("name", ["1st", "a-b", "", "ä", "a b"])
def test_names_that_prometheus_does_not_know_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        App().extensions.metric(name)

    assert refused.value.code == "extensions.bad-name"
    assert refused.value.remedy == 'write one like "orders_waiting"'


def test_a_label_that_prometheus_does_not_know_is_called_one() -> None:
    with pytest.raises(ConfigurationError, match="'a-b' cannot be the name of a label"):
        App().extensions.metric("waiting", label="a-b")


def test_two_metrics_of_one_name_are_both_named() -> None:
    app = App()
    app.extensions.metric("waiting")(lambda: 1)

    with pytest.raises(ConfigurationError) as refused:
        app.extensions.metric("waiting")(lambda: 2)

    assert refused.value.code == "extensions.taken"
    assert len(refused.value.places) == 2


def test_the_numbers_of_a_mounted_app_are_shown() -> None:
    outer, inner = App(plugins=[Metrics()]), App()
    inner.add_route("/", lambda: "here", name="home")
    inner.extensions.metric("inner")(lambda: 1)
    outer.mount("/inner", inner)

    with TestClient(outer) as client:
        assert client.get("/metrics").text.endswith("\n# TYPE inner gauge\ninner 1\n")
