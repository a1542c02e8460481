"""`Settings`: a class whose fields are read from the environment, from `.env`, and from their defaults, in this order."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, cast, dataclass_transform

import msgspec

from kingpost.errors import SettingsError
from kingpost.settings.convert import FieldType, convert, holds_secret, is_optional
from kingpost.settings.dotenv import Line, is_variable_name, read_dotenv
from kingpost.settings.secret import MASK, Secret
from kingpost.types import Place

DOTENV = ".env"
"""The file beside which a command is started; it is read, never searched for in folders above."""


class SettingsMeta(msgspec.StructMeta):
    """Makes every subclass keyword-only, so that a field without a default may follow one that has one, and keeps its prefix."""

    def __new__(  # noqa: PYI034 - a metaclass makes classes of its own kind
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        prefix: str | None = None,
        **options: Any,
    ) -> SettingsMeta:
        """Take the class keyword `prefix`; the other ones are msgspec's."""
        if prefix is not None:
            if prefix and not is_variable_name(prefix):
                raise SettingsError(
                    f"{name}: prefix={prefix!r} cannot begin the name of an environment variable",
                    code="settings.bad-prefix",
                    remedy='use capital letters, digits and "_", such as prefix="SHOP_"',
                    places=[Place.of_caller()],
                )
            namespace["__prefix__"] = prefix.upper()
        options.setdefault("kw_only", True)
        return super().__new__(mcls, name, bases, namespace, **options)

    def __init__(
        cls,  # noqa: N805 - a class is what a metaclass makes
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        **_options: Any,
    ) -> None:
        super().__init__(name, bases, namespace)


# mypy looks at the base class before the metaclass, whose own transform (msgspec's) takes fields by position.
@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class Settings(msgspec.Struct, metaclass=SettingsMeta):
    """Typed settings. Each field is read from the variable of its name in capitals, after the class's `prefix`.

        class AppSettings(Settings, prefix="SHOP_"):
            database_url: str = "sqlite:///app.db"     # SHOP_DATABASE_URL
            api_key: Secret[str]                       # SHOP_API_KEY, required

    First the environment, then `.env` in the folder where the command was started, then the default.

    Attributes:
        secret_key: What sessions and tokens are signed with, at least 32 characters. `kingpost dev` makes one and keeps it in `.env`. An empty
            one counts as missing.
        former_secret_keys: Keys that were `secret_key` once, and still verify what they signed; `a, b, c` in the environment.
    """

    __prefix__: ClassVar[str] = ""

    secret_key: Secret[str] | None = None
    former_secret_keys: tuple[Secret[str], ...] = ()

    @classmethod
    def load(cls) -> Self:
        """The settings of this process: read at the first call, the same object at every further one.

        Raises:
            SettingsError: Values are missing (code `settings.missing`) or wrong (code `settings.invalid`); all of them are listed.
        """
        loaded = _LOADED.get(cls)
        if loaded is None:
            loaded = _LOADED[cls] = read(cls, os.environ, read_dotenv(Path(DOTENV)))
        return cast("Self", loaded)


_LOADED: dict[type[Settings], Settings] = {}


def forget(cls: type[Settings]) -> None:
    """Let the next `load()` of a class read again."""
    _LOADED.pop(cls, None)


@contextmanager
def replaced(cls: type[Settings], by: Settings) -> Generator[None]:
    """Let `load()` of a class give these within the block; nothing is read for it."""
    before = _LOADED.get(cls)
    _LOADED[cls] = by
    try:
        yield
    finally:
        if before is None:
            forget(cls)
        else:
            _LOADED[cls] = before


class Source(NamedTuple):
    """Where a field could get its value from.

    Attributes:
        name: "environment", a line such as ".env:3", or "default".
        text: What stands there; for a default its repr.
    """

    name: str
    text: str


class Explanation(NamedTuple):
    """Where one setting came from; `str()` of it is what `kingpost settings explain NAME` prints.

    Attributes:
        name: The field.
        variable: The environment variable that sets it.
        type: The type it is converted to.
        value: The value as text, `***` for a secret; "" when there is none.
        source: Where it was found; "missing" when nowhere.
        hidden: Further sources that have a value which is not used.
        problem: Why the value is refused; "" when it is fine.
    """

    name: str
    variable: str
    type: str
    value: str
    source: str
    hidden: tuple[Source, ...]
    problem: str

    def __str__(self) -> str:
        lines = [f"{self.name} = {self.value}" if self.value else f"{self.name} has no value"]
        lines.append(f"  from:     {self.source}")
        lines += [f"  over:     {source.text} from {source.name}" for source in self.hidden]
        lines.append(f"  variable: {self.variable}")
        lines.append(f"  type:     {self.type}")
        if self.problem:
            lines.append(f"  problem:  {self.problem}")
        return "\n".join(lines)


def read(
    cls: type[Settings], environment: Mapping[str, str], dotenv: Mapping[str, Line]
) -> Settings:
    """An instance of `cls` from these sources; nothing is kept.

    Raises:
        SettingsError: As `Settings.load`.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    places: list[Place] = []
    missing_only = True
    for field in msgspec.structs.fields(cls):
        variable = variable_of(cls, field.name)
        found = _found(field.name, variable, environment, dotenv)
        if found is None:
            if field.required:
                problems.append(
                    f"{variable} is missing: {cls.__name__}.{field.name} has no default"
                )
            continue
        try:
            values[field.name] = convert(found.text, field.type)
        except ValueError as error:
            problems.append(_problem(variable, found, field.type, str(error)))
            missing_only = False
            if variable not in environment:
                places.append(dotenv[variable].place)
    if not problems:
        try:
            return cls(**values)
        except (ValueError, TypeError) as error:  # a __post_init__ of the user
            problems, missing_only = [str(error)], False
    several = f"{len(problems)} settings of {cls.__name__} are refused:\n" + "\n".join(
        f"  - {problem}" for problem in problems
    )
    raise SettingsError(
        problems[0] if len(problems) == 1 else several,
        code="settings.missing" if missing_only else "settings.invalid",
        remedy=f"set them in the environment or in {DOTENV}; `kingpost settings explain NAME` tells where a value comes from",
        places=places,
    )


def explain(cls: type[Settings], name: str) -> Explanation:
    """Where the field `name` of `cls` gets its value in this process.

    Args:
        cls: The settings class.
        name: A field, or the environment variable of one; case does not matter.

    Raises:
        SettingsError: There is no such field (code `settings.unknown-name`), or `.env` is malformed.
    """
    fields = {field.name: field for field in msgspec.structs.fields(cls)}
    by_any_name = {variable_of(cls, field).lower(): field for field in fields} | {
        field.lower(): field for field in fields
    }
    field_name = by_any_name.get(name.lower())
    if field_name is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), by_any_name, n=1)
        raise SettingsError(
            f"{cls.__name__} has no setting {name!r}",
            code="settings.unknown-name",
            remedy=f"did you mean {by_any_name[near[0]]!r}?"
            if near
            else f"its settings are {', '.join(sorted(fields))}",
            places=[Place.of(cls)],
        )
    field = fields[field_name]
    variable = variable_of(cls, field_name)
    sources = _sources(variable, field, os.environ, read_dotenv(Path(DOTENV)))
    value, problem = "", ""
    if not sources:
        problem = f"{variable} is missing, and there is no default"
    else:
        value = sources[0].text
        if sources[0].name != "default":
            try:
                converted = convert(sources[0].text, field.type)
                value = (
                    repr(converted) if not holds_secret(field.type) or converted is None else MASK
                )
            except ValueError as error:
                problem = _problem(variable, sources[0], field.type, str(error))
                value = _shown(sources[0].text, field.type)
    hidden = tuple(
        Source(
            source.name,
            source.text if source.name == "default" else _shown(source.text, field.type),
        )
        for source in sources[1:]
    )
    return Explanation(
        field_name,
        variable,
        _type_name(field.type),
        value,
        sources[0].name if sources else "missing",
        hidden,
        problem,
    )


def variable_of(cls: type[Settings], field: str) -> str:
    """The environment variable that sets `field`: the prefix, then the name in capitals."""
    return cls.__prefix__ + field.upper()


def _found(
    field: str, variable: str, environment: Mapping[str, str], dotenv: Mapping[str, Line]
) -> Source | None:
    sources = _given(field, variable, environment, dotenv)
    return sources[0] if sources else None


def _given(
    field: str, variable: str, environment: Mapping[str, str], dotenv: Mapping[str, Line]
) -> list[Source]:
    found: list[Source] = []
    if variable in environment:
        found.append(Source("environment", environment[variable]))
    line = dotenv.get(variable)
    if line is not None:
        found.append(Source(str(line.place), line.value))
    # An empty key, such as a template leaves behind, would let anybody sign.
    return [source for source in found if source.text] if field == "secret_key" else found


def _sources(
    variable: str,
    field: msgspec.structs.FieldInfo,
    environment: Mapping[str, str],
    dotenv: Mapping[str, Line],
) -> list[Source]:
    sources = _given(field.name, variable, environment, dotenv)
    if not field.required:
        factory = field.default_factory
        made = field.default if factory is msgspec.NODEFAULT else factory()
        sources.append(Source("default", repr(made)))
    return sources


def _shown(text: str, to: FieldType) -> str:
    return MASK if holds_secret(to) else repr(text)


def _problem(variable: str, source: Source, to: FieldType, reason: str) -> str:
    if holds_secret(to):
        # A rule's text may quote the value.
        reason = reason.partition(":")[0]
    empty = (
        " (leave the line out to get the default)"
        if not source.text and not is_optional(to)
        else ""
    )
    return f"{variable}={_shown(source.text, to)} from {source.name} {reason}{empty}"


def _type_name(to: FieldType) -> str:
    if isinstance(to, type) and not hasattr(to, "__args__"):
        return to.__name__
    return re.sub(r"(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", str(to))
