"""What an exception tells, as plain data: the chain, its frames, the source around each, the locals. Pages and logs are made of it.

Taking it apart never raises: what cannot be read is left out. It keeps no reference to a frame, so nothing lives longer because it was looked
at.
"""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from dis import opname
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from itertools import islice
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType, TracebackType
from typing import cast

from kingpost import limits
from kingpost.app.pages.values import shown
from kingpost.types import short_path

_BEFORE, _AFTER = 5, 3
_LINE_CHARACTERS = 300
_PACKAGE = str(Path(__file__).resolve().parents[2])
_LIBRARIES = tuple(
    {
        path
        for key in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_path(key))
    }
)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line around the place of an error.

    Attributes:
        number: Counted from 1.
        text: Without its line end, at most 300 characters.
        is_here: Whether it is the line that ran.
        mark: First and last character (exclusive) of the part that ran; (0, 0) when that is not known.
    """

    number: int
    text: str
    is_here: bool
    mark: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class FrameReport:
    """One call on the way to the error.

    Attributes:
        file: As a person would type it.
        line: Counted from 1.
        function: Its qualified name.
        is_users: Whether it is neither Python's, nor ours, nor an installed package's.
        source: The lines around it; empty when they cannot be read.
        locals: Names and shown values.
        hidden_locals: How many more there are.
    """

    file: str
    line: int
    function: str
    is_users: bool
    source: tuple[SourceLine, ...]
    locals: tuple[tuple[str, str], ...]
    hidden_locals: int


@dataclass(frozen=True, slots=True)
class ExceptionReport:
    """One exception of a chain.

    Attributes:
        relation: How it belongs to the one before it in the list; "" for the first, which is the one that was caught.
        type: Its class, with the module where that is not builtins.
        message: Its `str()`.
        notes: What `add_note` added.
        frames: The calls, the innermost last.
        left_out: How many frames of the middle are not in `frames`.
        syntax: The place of a SyntaxError.
    """

    relation: str
    type: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[FrameReport, ...]
    left_out: int = 0
    syntax: FrameReport | None = None


def report_of(exception: BaseException) -> list[ExceptionReport]:
    """The exception, then what it was raised from or during, and the members of a group; at most ten."""
    reports: list[ExceptionReport] = []
    seen: set[int] = set()
    pending: list[tuple[BaseException, str]] = [(exception, "")]
    while pending and len(reports) < limits.TRACEBACK_CHAIN:
        current, relation = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        reports.append(_one(current, relation))
        name = type(current).__name__
        if current.__cause__ is not None:
            pending.append((current.__cause__, f"{name} was raised from this"))
        elif current.__context__ is not None and not current.__suppress_context__:
            pending.append((current.__context__, f"{name} happened while this was handled"))
        if isinstance(current, BaseExceptionGroup):
            members = cast("BaseExceptionGroup[BaseException]", current).exceptions
            pending += [(member, f"in the {name}") for member in members]
    return reports


def plain_traceback(exception: BaseException) -> str:
    """The traceback as Python prints it, without values of variables: for copying into an issue."""
    try:
        return "".join(
            traceback.TracebackException.from_exception(
                exception, limit=limits.TRACEBACK_FRAMES, compact=True
            ).format()
        )
    except BaseException:  # noqa: BLE001 - the user's code may raise anything, SystemExit too
        # The message is the user's code (`__str__`), and may fail like any other.
        return (
            "".join(traceback.format_tb(exception.__traceback__))
            + f"{type(exception).__name__}: <its text could not be made>\n"
        )


def _one(exception: BaseException, relation: str) -> ExceptionReport:
    steps = list(_tracebacks(exception.__traceback__))
    half = limits.TRACEBACK_FRAMES // 2
    left_out = max(0, len(steps) - 2 * half)
    kept = steps[:half] + steps[-half:] if left_out else steps
    # Made by `add_note`; a program may put anything there.
    given: object = getattr(exception, "__notes__", ())
    notes = cast("list[object]", given) if isinstance(given, list) else []
    return ExceptionReport(
        relation=relation,
        type=_type_name(type(exception)),
        message=_message(exception),
        notes=tuple(_text(note)[:2_000] for note in notes),
        frames=tuple(_frame(step) for step in kept),
        left_out=left_out,
        syntax=_syntax(exception) if isinstance(exception, SyntaxError) else None,
    )


def _tracebacks(tb: TracebackType | None) -> Iterator[TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def _type_name(kind: type) -> str:
    return (
        kind.__qualname__
        if kind.__module__ in ("builtins", "__main__")
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _text(thing: object) -> str:
    try:
        return str(thing)
    except BaseException as error:  # noqa: BLE001 - the user's code may raise anything, SystemExit too
        return f"<its text could not be made: {type(error).__name__}>"


def _message(exception: BaseException) -> str:
    text = exception.msg if isinstance(exception, SyntaxError) else _text(exception)
    return text if len(text) <= 4_000 else text[:4_000] + f"… {len(text)} characters"


def _frame(tb: TracebackType) -> FrameReport:
    frame, line = tb.tb_frame, tb.tb_lineno
    code = frame.f_code
    names = {
        name: value
        for name, value in frame.f_locals.items()
        if not (name.startswith("__") and name.endswith("__"))
        # A module's variables are mostly what it imports and defines: that is in its source.
        and not (code.co_name == "<module>" and _is_definition(value))
    }
    return FrameReport(
        file=short_path(code.co_filename),
        line=line,
        function=code.co_qualname,
        is_users=is_users(code.co_filename),
        source=source_around(code.co_filename, line, _mark(code, tb.tb_lasti, line)),
        locals=tuple(
            (name, shown(value, name=name))
            for name, value in islice(names.items(), limits.TRACEBACK_LOCALS)
        ),
        hidden_locals=max(0, len(names) - limits.TRACEBACK_LOCALS),
    )


def _is_definition(value: object) -> bool:
    # By its class: an object may raise where it is asked for `__class__`.
    return issubclass(type(value), (type, FunctionType, BuiltinFunctionType, ModuleType))


def is_users(file: str) -> bool:
    """Whether `file` is the user's own: no library's, not ours, and not made up (`<frozen importlib>`)."""
    return not file.startswith(("<", _PACKAGE, *_LIBRARIES)) and "site-packages" not in file


def is_at_yield(tb: TracebackType) -> bool:
    """Whether the exception came into a generator from outside, where it waited at a `yield`."""
    code = tb.tb_frame.f_code
    if not code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR) or tb.tb_lasti < 0:
        return False
    # Python 3.11 says YIELD_VALUE where it waits, later ones may say the instruction behind it.
    return opname[code.co_code[tb.tb_lasti]] in ("YIELD_VALUE", "RESUME")


def source_around(
    file: str, line: int, mark: tuple[int, int] = (0, 0), *, below: int = _AFTER
) -> tuple[SourceLine, ...]:
    """The lines from five before to `below` after `line`; empty when the file cannot be read.

    Args:
        file: As the code names it.
        line: Counted from 1.
        mark: Byte offsets of the part of that line to mark.
        below: How many lines after it.
    """
    try:
        linecache.checkcache(file)
        lines = linecache.getlines(file)
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return ()
    if not 1 <= line <= len(lines):
        return ()
    first = max(1, line - _BEFORE)
    around: list[SourceLine] = []
    for number in range(first, min(len(lines), line + below) + 1):
        text = lines[number - 1].rstrip("\r\n")
        here = number == line
        around.append(
            SourceLine(
                number, text[:_LINE_CHARACTERS], here, _characters(text, mark) if here else (0, 0)
            )
        )
    return tuple(around)


def _characters(text: str, mark: tuple[int, int]) -> tuple[int, int]:
    """Byte offsets of UTF-8, as code objects keep them, to characters."""
    encoded = text.encode("utf-8", "replace")
    start, end = (len(encoded[:offset].decode("utf-8", "ignore")) for offset in mark)
    return min(start, _LINE_CHARACTERS), min(end, _LINE_CHARACTERS)


def _mark(code: CodeType, lasti: int, line: int) -> tuple[int, int]:
    """The bytes of `line` that the instruction stands for; (0, 0) when it spans lines or is not known."""
    if lasti < 0:
        return 0, 0
    position = next(islice(code.co_positions(), lasti // 2, None), None)
    if position is None:
        return 0, 0
    first, last, start, end = position
    if first != line or last != line or start is None or end is None:
        return 0, 0
    return start, end


def _syntax(error: SyntaxError) -> FrameReport | None:
    """Where the parser stopped, as a frame; the file may be gone, then the line that the error itself carries stands there."""
    if error.filename is None or error.lineno is None:
        return None
    start = max(0, (error.offset or 1) - 1)
    same_line = error.end_lineno in (None, error.lineno)
    end = (
        error.end_offset - 1
        if same_line and error.end_offset and error.end_offset > 0
        else start + 1
    )
    source = source_around(error.filename, error.lineno)
    text = error.text.rstrip("\r\n") if error.text else ""
    if not source and text:
        source = (SourceLine(error.lineno, text[:_LINE_CHARACTERS], is_here=True),)
    # SyntaxError counts characters, not bytes.
    marked = tuple(
        SourceLine(line.number, line.text, line.is_here, (start, max(end, start + 1)))
        if line.is_here
        else line
        for line in source
    )
    return FrameReport(
        short_path(error.filename), error.lineno, "", is_users(error.filename), marked, (), 0
    )
