"""Which object a command means.

It is looked for by its class, which the caller gives: the server knows nothing of App. `hello.py`, `hello`, `shop.web:app` and `shop.web:create_app` (a function that returns an App) are targets.
Without one, `[tool.kingpost] app` of pyproject.toml is it, then `app.py`, then `main.py`.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast, overload

from kingpost.errors import TargetError

T = TypeVar("T")
Others = Callable[[object], bool]

GUEST_NAMES = ("app", "application")
"""What applications of others are called, where nobody says."""
DEFAULT_FILES = ("app.py", "main.py")
_EXAMPLES = "a file (hello.py), a module (shop.web), or an object in a module (shop.web:app)"


@dataclass(frozen=True, slots=True)
class Target:
    """A target that was found, not yet imported."""

    text: str
    """As the user would write it."""
    folder: Path
    """The folder that imports start from; it is the first of sys.path while the App runs."""
    module: str
    """Dotted name to import."""
    attribute: str
    """What to take from the module; empty for "the App in it"."""
    file: Path | None = None
    """The source file, where it is known."""


def find_target(text: str | None, folder: Path | None = None) -> Target:
    """The target that `text` names, or the default one of `folder` (the working folder if not said).

    Raises:
        TargetError: there is no such file, or nothing was named and nothing is there.
    """
    folder = Path.cwd() if folder is None else folder
    if text:
        return _parse(text, folder)
    configured = _configured(folder)
    if configured is not None:
        home, named = configured
        return _parse(named, home)
    for name in DEFAULT_FILES:
        if (folder / name).is_file():
            return _parse(name, folder)
    raise TargetError(
        f"no app was named, and {folder} has neither app.py nor main.py",
        code="target.none",
        remedy=f'name one: kingpost dev {_suggested_file(folder)}, or put [tool.kingpost] app = "…" into pyproject.toml',
    )


def load_target(target: Target, kind: type[T]) -> T:
    """Imports the target and returns the object of class `kind` that it means.

    Raises:
        TargetError: the module does not exist, or has none, or several, or not the one named.
        Exception: whatever the user's own code raises while it is imported.
    """
    return _take(_imported(target), target, kind)


def load_any(target: Target, kind: type[T], others: Others) -> T | object:
    """As `load_target`, and an application of others is taken as well.

    Args:
        target: what was found.
        kind: our own class.
        others: tells applications of others; it may raise where an object could be one.

    Raises:
        TargetError: as `load_target`, and what `others` raises.
        Exception: whatever the user's own code raises while it is imported.
    """
    return _take(_imported(target), target, kind, others)


def _imported(target: Target) -> ModuleType:
    folder = str(target.folder)
    # First, so that the project's modules are found whatever else is installed.
    if not sys.path or sys.path[0] != folder:
        sys.path.insert(0, folder)
    _refuse_hidden(target)
    return _import(target)


# -- finding ---------------------------------------------------------------------------------------------------------


def _parse(text: str, folder: Path) -> Target:
    # The last colon that is not a Windows drive's.
    where, colon, attribute = text.rpartition(":")
    if not colon or (len(where) == 1 and where.isalpha() and attribute.startswith(("\\", "/"))):
        where, attribute = text, ""
    elif (
        not where or not attribute or not all(part.isidentifier() for part in attribute.split("."))
    ):
        raise TargetError(
            f"{text!r} is not a target", code="target.malformed", remedy=f"write {_EXAMPLES}"
        )
    if where.endswith(".py") or "/" in where or os.sep in where:
        return _of_file(text, where, attribute, folder)
    if not all(part.isidentifier() for part in where.split(".")):
        raise TargetError(
            f"{text!r} is not a target", code="target.malformed", remedy=f"write {_EXAMPLES}"
        )
    file = folder.joinpath(*where.split(".")).with_suffix(".py")
    return Target(text, folder, where, attribute, file if file.is_file() else None)


def _of_file(text: str, where: str, attribute: str, folder: Path) -> Target:
    file = (folder / where).absolute()
    if file.is_dir() and (file / "__init__.py").is_file():
        file = file / "__init__.py"
    elif not where.endswith(".py"):
        with_suffix = file.with_name(file.name + ".py")
        hint = f"did you mean {where}.py?" if with_suffix.is_file() else f"write {_EXAMPLES}"
        raise TargetError(f"{where!r} is not a Python file", code="target.not-found", remedy=hint)
    if not file.is_file():
        raise TargetError(
            f"there is no file {where}",
            code="target.not-found",
            remedy=_did_you_mean_file(file, folder),
        )
    # A file inside a package is imported by its dotted name, or its relative imports would not work.
    parts = [] if file.name == "__init__.py" else [file.stem]
    home = file.parent
    while (home / "__init__.py").is_file():
        parts.insert(0, home.name)
        home = home.parent
    for part in parts:
        if not part.isidentifier():
            raise TargetError(
                f"Python cannot import a file of the name {file.name!r}: a module's name has only letters, digits and _",
                code="target.malformed",
                remedy=f"rename it, for example to {_importable(part)}.py",
            )
    return Target(text, home, ".".join(parts), attribute, file)


def _configured(folder: Path) -> tuple[Path, str] | None:
    """The folder of the nearest pyproject.toml that names an app, and the name."""
    for home in (folder, *folder.parents):
        file = home / "pyproject.toml"
        if not file.is_file():
            continue
        import tomllib

        try:
            content = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TargetError(
                f"{file} cannot be read: {error}", code="target.pyproject", remedy="mend that line"
            ) from None
        table: Any = content.get("tool", {}).get("kingpost", {})
        named: Any = table.get("app") if hasattr(table, "get") else None
        if named is None:
            return None
        if not isinstance(named, str) or not named:
            raise TargetError(
                f"[tool.kingpost] app in {file} is {named!r}, which is not a target",
                code="target.pyproject",
                remedy='write it as text: app = "shop.web:app"',
            )
        return home, named
    return None


# -- importing -------------------------------------------------------------------------------------------------------


def _refuse_hidden(target: Target) -> None:
    """A file that has the name of a module which Python has imported already would not be imported at all."""
    top = target.module.partition(".")[0]
    loaded = sys.modules.get(top)
    if target.file is None or loaded is None or "." in target.module:
        return
    source = getattr(loaded, "__file__", None)
    if source is None or Path(source).absolute() != target.file:
        raise TargetError(
            f"your file {target.file.name} has the name of a module that Python itself or Kingpost uses: {top}",
            code="target.hidden",
            remedy=f"rename it, for example to my_{target.file.name}",
        )


def _import(target: Target) -> ModuleType:
    try:
        return importlib.import_module(target.module)
    except ModuleNotFoundError as error:
        # Only the target itself is our business; a module that it imports in vain is the user's traceback.
        if error.name is None or not (
            target.module == error.name or target.module.startswith(error.name + ".")
        ):
            raise
        raise TargetError(
            f"there is no module {error.name!r} in {target.folder}, and none is installed",
            code="target.not-found",
            remedy=_did_you_mean_module(target),
        ) from None


def _nobody_else(_: object) -> bool:
    return False


@overload
def _take(module: ModuleType, target: Target, kind: type[T]) -> T: ...
@overload
def _take(module: ModuleType, target: Target, kind: type[T], others: Others) -> T | object: ...
def _take(
    module: ModuleType, target: Target, kind: type[T], others: Others = _nobody_else
) -> T | object:
    if not target.attribute:
        return _only_one(module, target, kind, others)
    found: Any = module
    for part in target.attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise TargetError(
                f"{target.module} has nothing named {target.attribute!r}",
                code="target.no-such-name",
                remedy=_did_you_mean_name(target, part, dir(found), module, kind),
            ) from None
    if isinstance(found, kind) or others(found):
        return cast("object", found)
    if callable(found) and not isinstance(found, type):
        return _made(found, target, kind, others)
    what = f"the class {found.__name__}" if isinstance(found, type) else f"a {type(found).__name__}"
    raise TargetError(
        f"{target.text} is {what}, not an {kind.__name__}",
        code="target.wrong-type",
        remedy=_did_you_mean_name(target, "", (), module, kind),
    )


def _only_one(module: ModuleType, target: Target, kind: type[T], others: Others) -> T | object:
    there = _all_in(module, kind)
    conventional = kind.__name__.lower()
    if conventional in there:
        return there[conventional]
    distinct = {id(one): one for one in there.values()}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    if distinct:
        names = sorted(there)
        raise TargetError(
            f"{target.module} has {len(distinct)} {kind.__name__}s: {', '.join(names)}",
            code="target.two-apps",
            remedy=f"say which, for example {target.text}:{names[0]}",
        )
    for name in GUEST_NAMES:
        found = getattr(module, name, None)
        if found is not None and others(found):
            return cast("object", found)
    raise TargetError(
        f"{target.module} has no {kind.__name__} in it",
        code="target.no-app",
        remedy=_did_you_mean_name(target, "", (), module, kind),
    )


def _made(make: Callable[..., object], target: Target, kind: type[T], others: Others) -> T | object:
    name = target.attribute
    if inspect.iscoroutinefunction(make):
        raise TargetError(
            f"{target.text} is an `async def` function, and no event loop runs yet",
            code="target.factory",
            remedy=f"write `def {name}()`, and do what must be awaited in @app.lifespan",
        )
    try:
        inspect.signature(make).bind()
    except TypeError as error:
        raise TargetError(
            f"{target.text} cannot be called without arguments: {error}",
            code="target.factory",
            remedy="give its parameters defaults, or read them from settings",
        ) from None
    except ValueError:
        pass  # a builtin without a signature: calling it will tell
    made = make()
    if not isinstance(made, kind) and not others(made):
        raise TargetError(
            f"{target.text}() returned a {type(made).__name__}, not an {kind.__name__}",
            code="target.factory",
            remedy=f"return the {kind.__name__}",
        )
    return made


def _all_in(module: ModuleType, kind: type[T]) -> dict[str, T]:
    return {name: value for name, value in vars(module).items() if isinstance(value, kind)}


# -- remedies --------------------------------------------------------------------------------------------------------


def _did_you_mean(word: str, known: Iterable[str]) -> str | None:
    import difflib

    close = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return close[0] if close else None


def _did_you_mean_file(file: Path, folder: Path) -> str:
    if not file.parent.is_dir():
        return f"there is no folder {file.parent} either"
    names = sorted(entry.name for entry in file.parent.glob("*.py"))
    close = _did_you_mean(file.name, names)
    if close:
        try:
            return f"did you mean {(file.parent / close).relative_to(folder.absolute())}?"
        except ValueError:
            return f"did you mean {file.parent / close}?"
    if not names:
        return f"{file.parent} has no Python files: go to your project's folder first"
    return f"the Python files in {file.parent} are: {', '.join(names[:10])}"


def _did_you_mean_module(target: Target) -> str:
    *packages, last = target.module.split(".")
    home = target.folder.joinpath(*packages)
    if home.is_dir():
        names = {path.stem for path in home.glob("*.py")} | {
            path.parent.name for path in home.glob("*/__init__.py")
        }
        close = _did_you_mean(last, names)
        if close:
            return f"did you mean {'.'.join([*packages, close])}?"
    return f"go to your project's folder first, or write {_EXAMPLES}"


def _did_you_mean_name(
    target: Target, word: str, known: Iterable[str], module: ModuleType, kind: type[object]
) -> str:
    where = target.text.rpartition(":")[0] if target.attribute else target.text
    close = _did_you_mean(word, known) if word else None
    if close:
        return f"did you mean {where}:{close}?"
    there = sorted(_all_in(module, kind))
    if there:
        return f"the {kind.__name__} in it is {where}:{there[0]}"
    for name in ("create_app", "make_app"):
        if callable(getattr(module, name, None)):
            return f"a function makes it: name it as {where}:{name}"
    return f"make one there: {kind.__name__.lower()} = {kind.__name__}()"


def _suggested_file(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.glob("*.py"))
    return names[0] if len(names) == 1 else "hello.py"


def _importable(name: str) -> str:
    text = "".join(character if character.isalnum() else "_" for character in name)
    return f"_{text}" if text[:1].isdigit() else text
