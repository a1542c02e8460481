"""Corrections: lines of CSV that replace values of the atlas. All of them are taken, or none."""

import csv
from contextlib import closing

from layout import frame, table
from world import HERE, Entry, connect, get, select

from kingpost import Blueprint, Html, NotFound, Redirect, Request, ValidationError
from kingpost.errors import FieldError, UnsupportedMediaType

FORM = Html((HERE / "corrections.html").read_text(encoding="utf-8"))

corrections = Blueprint("corrections")


@corrections.get("/corrections")
def show() -> Html:
    made = select("select * from corrections order by rowid desc limit 50")
    history = table(("When", "Topic", "Code", "Field", "Before", "Now"), made)
    return frame("Corrections", FORM, history, here="corrections")


@corrections.post("/corrections", max_body="8 MiB", errors=[UnsupportedMediaType, ValidationError])
def correct(request: Request) -> Redirect:
    """CSV as it is, from programs; as the field of a form, which needs no script, from people."""
    is_csv = request.content_type is not None and request.content_type.essence == "text/csv"
    written = request.text() if is_csv else request.form().get("csv", "")
    made: list[tuple[str, ...]] = []
    problems: list[FieldError] = []
    for number, line in enumerate(csv.reader(written.splitlines()), 1):
        try:
            made.append(checked(line))
        except (ValueError, NotFound) as error:
            where = ["body", f"line {number}"]
            problems.append({"location": where, "code": "bad-line", "message": str(error)})
    if problems:
        raise ValidationError("Nothing was changed.", errors=problems)
    with closing(connect()) as db, db:
        db.executemany("insert into corrections values (datetime(), ?, ?, ?, ?, ?)", made)
        for topic, code, field, _, value in made:
            # The field is one of Entry's: `checked` has seen to it.
            change = f"update entries set {field} = ? where topic = ? and code = ?"  # noqa: S608
            db.execute(change, [value, topic, code])
    return Redirect(request.url_for(".show"))


def checked(line: list[str]) -> tuple[str, ...]:
    """The row of the table of corrections that a line asks for; ValueError or NotFound for none."""
    if len(line) != 4:
        raise ValueError("four values are needed: topic, code, field, new value")
    topic, code, field, value = line
    entry = get(topic, code)
    if field not in Entry.__struct_fields__[2:]:
        raise ValueError(f"{field} is none of {', '.join(Entry.__struct_fields__[2:])}")
    return topic, entry.code, field, getattr(entry, field), value
