"""Parameters that are texts under a name: of the query, a header field, a cookie, a form.

Each place gives the texts of a name; what becomes of them is the same for all: one value, a list of values, a class with named fields.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import msgspec

from kingpost import limits
from kingpost.binding.markers import Form
from kingpost.binding.sources import REQUIRED, Binder, Errors, Unhurried, read_text
from kingpost.errors import FieldError
from kingpost.http.request import Request
from kingpost.http.uploads import FormBounds, MultipartStream, UploadFile
from kingpost.schema import TextReader
from kingpost.schema.form import tree_of
from kingpost.schema.problems import field_error
from kingpost.schema.rules import Rules
from kingpost.schema.text import Scalar

PlaceName: TypeAlias = Literal["query", "header", "cookie", "form"]


def query_texts(request: Request, name: str) -> Sequence[str]:
    return request.query.get_all(name)


def header_texts(request: Request, name: str) -> Sequence[str]:
    return request.headers.get_all(name)


def cookie_texts(request: Request, name: str) -> Sequence[str]:
    value = request.cookies.get(name)
    return () if value is None else (value,)


def form_texts(request: Request, name: str) -> Sequence[str]:
    return request.form().get_all(name)


TEXTS: Mapping[PlaceName, Callable[[Request, str], Sequence[str]]] = {
    "query": query_texts,
    "header": header_texts,
    "cookie": cookie_texts,
    "form": form_texts,
}


def all_texts(request: Request, place: PlaceName, names: Sequence[str]) -> dict[str, list[str]]:
    """Every text of a place by its name. Header fields and cookies are asked for by name: others are none of the model's business."""
    if place in ("query", "form"):
        pairs = request.query if place == "query" else request.form()
        return {name: list(pairs.get_all(name)) for name in pairs}
    found = {name: list(TEXTS[place](request, wire_name(place, name))) for name in names}
    return {name: texts for name, texts in found.items() if texts}


def wire_name(place: PlaceName, name: str) -> str:
    """What a parameter of a Python name is called in a place."""
    return name.replace("_", "-") if place == "header" else name


class FromText(msgspec.Struct, frozen=True):
    """One value. Given twice it is refused: which one was meant cannot be known."""

    place: PlaceName
    name: str
    scalar: Scalar
    default: Any

    @property
    def words(self) -> str:
        default = "" if self.default is REQUIRED else f", {self.default!r} if not given"
        return f"{self.place} {self.name}: {self.scalar.words}{default}"

    def read(self, request: Request, errors: Errors) -> Any:
        texts = TEXTS[self.place](request, self.name)
        at = (self.place, self.name)
        if len(texts) > 1:
            errors.append(field_error(at, "repeated", given=texts[1]))
            return None
        if texts and (texts[0] or self.scalar.is_text):
            return read_text(self.scalar.convert, texts[0], at, errors)
        # An empty field of a form is a number or a date that nobody filled in.
        if self.default is REQUIRED:
            errors.append(field_error(at, "missing"))
        return self.default

    def binder(self, keyword: str | None) -> Binder | None:
        if self.place != "query":
            return None
        return ("query", self.name, self.scalar.native, self.default, keyword)


class FromTexts(msgspec.Struct, frozen=True):
    """A list of values: repeated, or separated."""

    place: PlaceName
    name: str
    scalar: Scalar
    container: type[list[Any] | set[Any] | frozenset[Any] | tuple[Any, ...]]
    rules: Rules
    default: Any
    separator: str | None

    @property
    def words(self) -> str:
        default = "" if self.default is REQUIRED else f", {self.default!r} if not given"
        how = "repeated" if self.separator is None else f"separated by {self.separator!r}"
        return f"{self.place} {self.name}, {how}: {self.scalar.words} each{default}"

    def read(self, request: Request, errors: Errors) -> Any:
        texts = list(TEXTS[self.place](request, self.name))
        at = (self.place, self.name)
        if self.separator is not None:
            texts = [piece.strip() for text in texts for piece in text.split(self.separator)]
        if self.separator is not None or not self.scalar.is_text:
            texts = [text for text in texts if text]
        if not texts:
            if self.default is REQUIRED:
                errors.append(field_error(at, "missing"))
            # A list that is a default is one object for the whole life of the process.
            return copy.copy(self.default)
        if len(texts) > limits.QUERY_PAIRS:
            errors.append(
                field_error(at, "too-long", f"must have at most {limits.QUERY_PAIRS} values")
            )
            return None
        values = [
            read_text(self.scalar.convert, text, (*at, index), errors)
            for index, text in enumerate(texts)
        ]
        errors.extend(field_error(at, code, message) for code, message in self.rules.broken(values))
        return self.container(values)

    def binder(self, keyword: str | None) -> Binder | None:
        if self.place != "query" or self.separator is not None:
            return None
        # The engine would hand out one list to all requests.
        if self.rules or isinstance(self.default, list | set):
            return None
        return (
            "queries",
            self.name,
            self.scalar.native,
            self.default,
            self.container.__name__,
            keyword,
        )


class FromModel(Unhurried, frozen=True):
    """A class with named fields, read from several texts.

    Attributes:
        below: the name in front of the brackets, `filter` of `filter[size]=3`; None where the fields stand by themselves.
        names: the fields' own names, where they are asked for one by one.
    """

    place: PlaceName
    reader: TextReader
    label: str
    below: str | None
    names: Sequence[str]
    default: Any

    @property
    def words(self) -> str:
        where = self.place if self.below is None else f"{self.place} {self.below}[…]"
        return f"{where}: the fields of {self.label}"

    def read(self, request: Request, errors: Errors) -> Any:
        value, broken = self.look(request)
        errors.extend(broken)
        return value

    def files_of(self, request: Request) -> dict[str, list[UploadFile]]:
        """The files of the form, where the class has fields for some."""
        if not self.reader.handed:
            return {}
        form = request.form_data()
        return {name: form.files_of(name) for name in self.reader.handed}

    def look(self, request: Request) -> tuple[Any, list[FieldError]]:
        texts = all_texts(request, self.place, self.names)
        if self.below is None:
            value, broken = self.reader.read(texts, (self.place,), self.files_of(request))
            return value, [named_as_sent(error) for error in broken]
        tree = tree_of(texts).below.get(self.below)
        if tree is None:
            if self.default is not REQUIRED:
                return self.default, []
            return self.reader.read({}, (self.place, self.below))
        return self.reader.read_tree(tree, (self.place, self.below))


def named_as_sent(error: FieldError) -> FieldError:
    """An error of a model's field under the name that the client knows it by: `x-token` for the header field of `x_token`.

    Of a file its name is told.
    """
    if "input" in error:
        error = {**error, "input": without_files(error["input"])}
    match error["location"]:
        case ("header" as place, str() as name, *rest):
            return {**error, "location": (place, wire_name(place, name), *rest)}
        case _:
            return error


class TheForm(Unhurried, frozen=True):
    """`Form[T]`: a form with what is wrong with it, for a handler that shows it again."""

    model: FromModel

    @property
    def words(self) -> str:
        return f"{self.model.words}, with its errors"

    def read(self, request: Request, errors: Errors) -> Any:
        value, broken = self.model.look(request)
        data = {name: request.form()[name] for name in request.form()}
        return Form[Any].filled(value, errors=by_field(broken), data=data)


def by_field(errors: Sequence[FieldError]) -> dict[str, list[str]]:
    """The messages of errors by the name of the field as the form has it: `address[city]`."""
    found: dict[str, list[str]] = {}
    for error in errors:
        found.setdefault(field_name(error["location"][1:]), []).append(error["message"])
    return found


def field_name(steps: Sequence[str | int]) -> str:
    if not steps:
        return ""
    first, *others = map(str, steps)
    return first + "".join(f"[{step}]" for step in others)


class FromFile(Unhurried, frozen=True):
    """A file of a form, or all files under a name."""

    name: str
    is_list: bool
    default: Any

    @property
    def words(self) -> str:
        return f"form {self.name}: {'files' if self.is_list else 'a file'}"

    def read(self, request: Request, errors: Errors) -> Any:
        files: list[UploadFile] = request.form_data().files_of(self.name)
        at = ("form", self.name)
        if self.is_list and files:
            return files
        if len(files) > 1:
            errors.append(field_error(at, "repeated", given=files[1].filename))
            return None
        if files:
            return files[0]
        if self.default is REQUIRED:
            errors.append(field_error(at, "missing"))
        return copy.copy(self.default)


class TheMultipart(Unhurried, frozen=True):
    """The unread form, part by part."""

    bounds: FormBounds
    words: str = "form: unread, part by part"

    def read(self, request: Request, errors: Errors) -> Any:
        unread = request.unread
        if unread is None:
            raise RuntimeError("the route streams its form, and the engine has read it")
        content_type = request.headers.get("content-type") or ""
        # The route's own limit on bodies bounds every part of one.
        return MultipartStream(unread, content_type, self.bounds.file_within(limits.LARGEST))


def without_files(value: object) -> object:
    """What was given, with the names of files in their places."""
    if isinstance(value, UploadFile):
        return value.filename
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {name: without_files(each) for name, each in entries.items()}
    if isinstance(value, list):
        return [without_files(each) for each in cast("list[object]", value)]
    return value


def takes_files(source: object) -> bool:
    """Whether a source takes files of a form, which is then received for it."""
    if isinstance(source, TheForm):
        source = source.model
    return isinstance(source, FromFile) or (
        isinstance(source, FromModel) and bool(source.reader.handed)
    )


def is_of_form(source: object) -> bool:
    """Whether a source reads a form, which is then the body."""
    if isinstance(source, FromText | FromTexts | FromModel):
        return source.place == "form"
    return isinstance(source, TheForm | FromFile)
