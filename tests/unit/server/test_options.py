import asyncio
import sys

import pytest

from kingpost import _native
from kingpost.cli import commands
from kingpost.errors import ConfigurationError
from kingpost.server.loops import LoopMissing, new_loop
from kingpost.server.options import Options


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
