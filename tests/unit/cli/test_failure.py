"""What is told of a program that does not start."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from kingpost.cli.failure import failure_of
from kingpost.server.target import find_target, load_target


def failed(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    (folder / "shop.py").write_text(text)
    monkeypatch.chdir(folder)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever the program raises
        load_target(find_target("shop.py", folder), object)
    # Below the command there is no frame of a test.
    own = caught.value.__traceback__
    assert own is not None
    return caught.value.with_traceback(own.tb_next)


def test_nothing_of_ours_stands_around_a_syntax_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = failed(tmp_path, "def home() -> str\n", monkeypatch)
    failure = failure_of(error)

    assert failure.summary == "SyntaxError in shop.py, line 1: expected ':'"
    assert "Traceback" not in failure.report
    # The page in the browser shows the same exception.
    assert traceback.extract_tb(error.__traceback__) == []


def test_the_users_own_frames_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = failed(tmp_path, "def f():\n    raise LookupError('no')\nf()\n", monkeypatch)
    failure = failure_of(error)

    assert failure.summary == "LookupError in shop.py, line 2: no"
    assert [frame.lineno for frame in traceback.extract_tb(error.__traceback__)] == [3, 2]
