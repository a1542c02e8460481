"""Corrections of the atlas: CSV with the columns collection, code, field and value; all lines or none are taken."""

import csv
from contextlib import closing
from datetime import UTC, datetime

from msgspec.structs import astuple

from database import connect, select
from kingpost import Blueprint, Html, NotFound, Redirect, Request, Response, Struct, ValidationError
from kingpost.errors import FieldError, UnsupportedMediaType
from layout import frame, heading, listed, table, text
from world import COLLECTIONS

COLUMNS = ["collection", "code", "field", "value"]
FORM = """
<form method="post" class="upload">
<label for="csv">Lines of CSV; the first one names the columns</label>
<textarea id="csv" name="csv" rows="8" spellcheck="false" required>{}</textarea>
<label class="file" hidden>Or take a file <input type="file" accept=".csv,text/csv"></label>
<button>Correct</button>
</form>
<script>
const file = document.querySelector(".file");
file.hidden = false;
file.onchange = async (event) => {{ document.querySelector("#csv").value = await event.target.files[0].text(); }};
</script>
"""
SAMPLE = "collection,code,field,value\r\ncountries,DE,official_name,Federal Republic of Germany\r\n"

corrections = Blueprint("corrections")


class Correction(Struct):
    """One value that was replaced."""

    made_at: str
    collection: str
    code: str
    field: str
    was: str
    now: str


@corrections.get("/corrections")
def show() -> Html:
    return page(SAMPLE)


@corrections.post("/corrections")
def correct(request: Request) -> Response[Html] | Redirect:
    written = request.form().get("csv", "")
    try:
        correct_all(written)
    except ValidationError as error:
        messages = (Html.format("{}", each["message"]) for each in error.errors)
        return Response(page(written, text(error.detail), listed(messages)), status=422)
    return Redirect(request.url_for(".show"))


@corrections.post("/api/corrections", status=201, max_body="8 MiB", errors=[UnsupportedMediaType])
def upload(request: Request) -> list[Correction]:
    """The same for programs: curl --data-binary @corrections.csv -H "content-type: text/csv" …"""
    if request.content_type is None or request.content_type.essence != "text/csv":
        raise UnsupportedMediaType("Send the corrections as text/csv.")
    return correct_all(request.text())


def page(written: str, *problems: Html) -> Html:
    made = select("select * from corrections order by made_at desc, rowid desc limit 50")
    trouble = (
        Html.format('<div role="alert">{}</div>', Html("").join(problems)) if problems else Html()
    )
    return frame(
        "Corrections",
        trouble,
        Html.format(FORM, written),
        heading("Made so far") if made else Html(),
        table(("When", "Where", "Code", "What", "Before", "Now"), made),
        here="corrections",
    )


def correct_all(written: str) -> list[Correction]:
    """Check every line, then change the atlas in one transaction.

    Raises:
        ValidationError: with one error for each line that is wrong.
    """
    reader = csv.DictReader(written.splitlines())
    if reader.fieldnames != COLUMNS:
        raise wrong([(1, f"the first line must be {','.join(COLUMNS)}")])
    now = datetime.now(UTC).isoformat(" ", "seconds")
    made: list[Correction] = []
    problems: list[tuple[int, str]] = []
    for row in reader:
        try:
            made.append(checked(now, row))
        except (ValueError, NotFound) as error:
            problems.append((reader.line_num, str(error)))
    if problems:
        raise wrong(problems)
    with closing(connect()) as db, db:
        for each in made:
            # Both names were checked: they are those of a collection and of one of its fields.
            statement = f"update {each.collection} set {each.field} = ? where code = ?"  # noqa: S608
            db.execute(statement, [each.now, each.code])
            db.execute(
                "insert into search values (?, ?, ?)", [each.collection, each.code, each.now]
            )
            db.execute("insert into corrections values (?, ?, ?, ?, ?, ?)", astuple(each))
    return made


def checked(now: str, row: dict[str, str]) -> Correction:
    """The correction that a line asks for; ValueError or NotFound where there can be none."""
    name, code, field, value = (row[column] or "" for column in COLUMNS)
    if None in row or not value:
        raise ValueError("a line has four values, and none of them is empty")
    if name not in COLLECTIONS:
        raise ValueError(f"there is no collection {name}; there are {', '.join(COLLECTIONS)}")
    entry = COLLECTIONS[name].get(code)
    fields = entry.__struct_fields__[1:]
    if field not in fields:
        raise ValueError(f"{name} have no field {field}; there are {', '.join(fields)}")
    return Correction(now, name, entry.code, field, getattr(entry, field), value)


def wrong(problems: list[tuple[int, str]]) -> ValidationError:
    errors: list[FieldError] = [
        {"location": ["body", line], "code": "bad-line", "message": f"Line {line}: {problem}."}
        for line, problem in problems
    ]
    return ValidationError("Nothing was changed.", errors=errors)
