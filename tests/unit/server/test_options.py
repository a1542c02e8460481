import asyncio
import re
import sys

import pytest

from kingpost import _native
from kingpost.cli import commands
from kingpost.errors import ConfigurationError
from kingpost.server.loops import LoopMissing, new_loop
from kingpost.server.options import Options, limits_of


@pytest.mark.parametrize("kind", ["auto", "asyncio"])
def test_a_loop_can_be_made(kind: str) -> None:
    loop = new_loop(kind)  # type: ignore[arg-type]  # one of the words

    assert isinstance(loop, asyncio.AbstractEventLoop)
    loop.close()


def test_auto_is_the_standard_loop_where_uvloop_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)

    loop = new_loop("auto")

    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()


def test_uvloop_by_name_is_refused_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)

    with pytest.raises(LoopMissing, match="pip install uvloop"):
        new_loop("uvloop")


def test_the_environment_chooses_the_kind_of_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_TASKS", "plain")

    assert Options().tasks == "plain"


@pytest.mark.parametrize("variable", ["KINGPOST_TASKS", "KINGPOST_DRIVER"])
def test_an_unknown_choice_in_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "fast")

    with pytest.raises(ConfigurationError, match=f"{variable}='fast' is not known"):
        Options()


def test_the_grace_of_a_stop_is_the_engines_wherever_it_is_written() -> None:
    (grace,) = (option for option in commands.run.params if option.name == "grace")

    assert Options().grace == _native.LIMITS["drain_timeout"] / 1000 == grace.default


def test_limits_are_read_by_their_names() -> None:
    assert limits_of([]) == {}
    texts = ["head=65536", "trailer=0", "head=1073741824", "websocket_ping=0"]
    assert limits_of(texts) == {"head": 1 << 30, "trailer": 0, "websocket_ping": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "'x' is not NAME=NUMBER, such as head=65536; there are request_line, field, head,"),
        ("heads=1", "'heads' is no limit; there are request_line, field, head, fields,"),
        ("=1", "'' is no limit"),
        ("head=", "head is a whole number of 1 to 1073741824; it is 32768 if you do not say"),
        ("head=64k", "'head=64k'"),
        ("head=-1", "'head=-1'"),
        ("head=1.5", "'head=1.5'"),
        ("head=٣", "'head=٣'"),
        ("head=0", "'head=0'"),
        ("trailer=-1", "a whole number of 0 to"),
        ("head=1073741825", "'head=1073741825'"),
        ("head=" + "9" * 5000, "a whole number of 1 to"),
        ("body=1", "body is not set here: a route's max_body sets it"),
        ("drain_timeout=1", "drain_timeout is not set here: --grace sets it"),
    ],
)
def test_what_is_no_limit_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        limits_of(["fields=50", text])


def test_every_limit_of_the_engine_can_be_set_here_but_two() -> None:
    names = _native.LIMITS.keys() - {"body", "drain_timeout"}

    assert limits_of([f"{name}=7" for name in names]) == dict.fromkeys(names, 7)
