"""What an exception tells."""

from __future__ import annotations

import traceback as standard
from pathlib import Path
from typing import NoReturn

import pytest

from kingpost import limits
from kingpost.app.pages.report import (
    ExceptionReport,
    _mark,
    is_users,
    plain_traceback,
    report_of,
    source_around,
)


def raised(function: object, *arguments: object) -> BaseException:
    assert callable(function)
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("nothing was raised")


def divide(number: int, password: str = "hunter2") -> float:  # noqa: S107 - to be hidden
    return number / 0


def chain() -> NoReturn:
    try:
        divide(1)
    except ZeroDivisionError as error:
        raise ValueError("outer") from error


def during() -> NoReturn:
    try:
        divide(1)
    except ZeroDivisionError:
        raise KeyError("inner")  # noqa: B904 - the mistake that the page is to show


def suppressed() -> NoReturn:
    try:
        divide(1)
    except ZeroDivisionError:
        raise ValueError("alone") from None


def grouped() -> NoReturn:
    raise ExceptionGroup("two", [ValueError("a"), ExceptionGroup("inner", [KeyError("b")])])


def deep(left: int) -> None:
    if left:
        deep(left - 1)
    raise ValueError("deep")


def relations(reports: list[ExceptionReport]) -> list[tuple[str, str]]:
    return [(report.type, report.relation) for report in reports]


def test_the_innermost_call_is_last_with_its_line_and_locals() -> None:
    report = report_of(raised(divide, 1))[0]
    frame = report.frames[-1]

    assert (report.type, report.message) == ("ZeroDivisionError", "division by zero")
    assert (frame.function, frame.line) == ("divide", divide.__code__.co_firstlineno + 1)
    assert frame.locals == (("number", "1"), ("password", "***"))


def test_the_part_of_the_line_that_ran_is_marked() -> None:
    frame = report_of(raised(divide, 1))[0].frames[-1]
    line = next(line for line in frame.source if line.is_here)

    assert line.text[slice(*line.mark)] == "number / 0"
    assert line.number == frame.line


def test_a_cause_and_a_context_are_told_apart() -> None:
    assert relations(report_of(raised(chain))) == [
        ("ValueError", ""),
        ("ZeroDivisionError", "ValueError was raised from this"),
    ]
    assert relations(report_of(raised(during))) == [
        ("KeyError", ""),
        ("ZeroDivisionError", "KeyError happened while this was handled"),
    ]


def test_a_suppressed_context_is_left_out() -> None:
    assert relations(report_of(raised(suppressed))) == [("ValueError", "")]


def test_the_members_of_a_group_are_told() -> None:
    assert relations(report_of(raised(grouped))) == [
        ("ExceptionGroup", ""),
        ("ValueError", "in the ExceptionGroup"),
        ("ExceptionGroup", "in the ExceptionGroup"),
        ("KeyError", "in the ExceptionGroup"),
    ]


def test_a_chain_that_goes_in_a_circle_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert len(report_of(one)) == 2


def test_a_long_chain_is_cut() -> None:
    error: Exception = ValueError("0")
    for number in range(limits.TRACEBACK_CHAIN + 5):
        outer = ValueError(str(number))
        outer.__cause__ = error
        error = outer

    assert len(report_of(error)) == limits.TRACEBACK_CHAIN


def test_a_deep_stack_loses_its_middle() -> None:
    report = report_of(raised(deep, 200))[0]

    assert len(report.frames) == limits.TRACEBACK_FRAMES
    assert report.left_out == 202 - limits.TRACEBACK_FRAMES
    assert report.frames[-1].locals == (("left", "0"),)


def test_notes_are_kept() -> None:
    error = raised(divide, 1)
    error.add_note("look at <b>")

    assert report_of(error)[0].notes == ("look at <b>",)


def test_an_exception_whose_text_fails_is_told_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    error = Mute()

    assert report_of(error)[0].message == "<its text could not be made: RuntimeError>"
    assert "Mute" in plain_traceback(error)


def test_a_long_message_is_cut() -> None:
    assert report_of(ValueError("x" * 5000))[0].message.endswith("… 5000 characters")


def test_a_syntax_error_knows_its_place(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("a = 1\nzażółć = (1 +\n", encoding="utf-8")

    error = raised(compile, file.read_text(encoding="utf-8"), str(file), "exec")
    syntax = report_of(error)[0].syntax

    assert syntax is not None
    assert (syntax.line, Path(syntax.file).name) == (2, "app.py")
    here = next(line for line in syntax.source if line.is_here)
    assert here.text[slice(*here.mark)] == "("


def test_a_syntax_error_without_its_file_shows_the_line_it_carries() -> None:
    syntax = report_of(raised(compile, "def (", "gone.py", "exec"))[0].syntax

    assert syntax is not None
    assert [line.text for line in syntax.source] == ["def ("]


@pytest.mark.parametrize("line", [0, -1, 10_000])
def test_a_line_that_is_not_there_has_no_source(line: int) -> None:
    assert source_around(__file__, line) == ()


def test_a_file_that_is_not_there_has_no_source() -> None:
    assert source_around("/no/such/file.py", 1) == ()


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("old = 1\n", encoding="utf-8")
    assert source_around(str(file), 1)[0].text == "old = 1"

    file.write_text("new = 12\n", encoding="utf-8")

    assert source_around(str(file), 1)[0].text == "new = 12"


@pytest.mark.parametrize(
    ("file", "users"),
    [
        (__file__, True),
        (standard.__file__, False),
        (report_of.__code__.co_filename, False),
        ("<frozen importlib._bootstrap>", False),
        (pytest.__file__, False),
    ],
)
def test_the_users_own_files_are_known(file: str, users: bool) -> None:
    assert is_users(file) is users


def test_a_modules_imports_are_no_variables(tmp_path: Path) -> None:
    program = "import os\nfrom pathlib import Path\ndef f(): ...\nnumber = 5\n1 / 0\n"
    code = compile(program, str(tmp_path / "app.py"), "exec")

    frame = report_of(raised(exec, code, {"__name__": "app"}))[0].frames[-1]

    assert frame.locals == (("number", "5"),)


def test_the_plain_text_is_what_python_prints() -> None:
    error = raised(chain)

    assert plain_traceback(error) == "".join(standard.format_exception(error))
    assert "hunter2" not in plain_traceback(error).replace('password: str = "hunter2"', "")


def test_a_call_over_several_lines_has_no_mark() -> None:
    def spread() -> float:
        return (
            1
            /
            0
        )  # fmt: skip

    frame = report_of(raised(spread))[0].frames[-1]

    assert [line.mark for line in frame.source if line.is_here] == [(0, 0)]


def test_code_without_positions_has_no_mark() -> None:
    code = divide.__code__.replace(co_linetable=b"")

    assert _mark(code, 2, 1) == (0, 0)
    assert _mark(divide.__code__, -1, 1) == (0, 0)
    assert _mark(divide.__code__, 100_000, 1) == (0, 0)


def test_a_syntax_error_made_by_hand_has_no_place() -> None:
    assert report_of(SyntaxError("made by hand"))[0].syntax is None


def test_a_source_that_cannot_be_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> list[str]:
        raise RuntimeError("a loader of somebody's own")

    monkeypatch.setattr("linecache.getlines", broken)

    assert source_around(__file__, 1) == ()


def test_an_exception_that_python_cannot_print_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = raised(divide, 1)

    def broken(*_: object, **__: object) -> standard.TracebackException:
        raise RuntimeError("no")

    monkeypatch.setattr(standard.TracebackException, "from_exception", broken)

    assert plain_traceback(error).endswith("ZeroDivisionError: <its text could not be made>\n")
