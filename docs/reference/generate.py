"""Writes names.md and limits.md beside this file from the docstrings and from the limits of the source.

The docstrings are the only source: change them, run this, and look at what came of it. A test runs it, too.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "python" / "kingpost"
MODULES = (
    "kingpost",
    "kingpost.channels",
    "kingpost.checks",
    "kingpost.feeds",
    "kingpost.html",
    "kingpost.http",
    "kingpost.http.media",
    "kingpost.injection",
    "kingpost.interop",
    "kingpost.logging",
    "kingpost.middleware",
    "kingpost.routing",
    "kingpost.schema",
    "kingpost.settings",
    "kingpost.signing",
    "kingpost.openapi",
    "kingpost.errors",
    "kingpost.staticfiles",
    "kingpost.telemetry",
    "kingpost.templates",
    "kingpost.testing",
)
INTRODUCTION = """\
Made from the docstrings by `docs/reference/generate.py`. What is public, and how long it stays, says
[compatibility](../design/compatibility.md)."""
SECTIONS = (
    "Args",
    "Returns",
    "Yields",
    "Raises",
    "Attributes",
    "Keys",
    "Example",
    "Iterating raises",
)
FOREIGN = {
    "Struct": "[msgspec's Struct](https://jcristharif.com/msgspec/structs.html): a class with typed fields, quick to make, to check and to send.",
    "Meta": "[msgspec's Meta](https://jcristharif.com/msgspec/constraints.html): rules beside a type, `Annotated[int, Meta(ge=1, le=100)]`.",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    """Write both pages."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The pages by their file names."""
    return {"names.md": names_page(), "limits.md": limits_page()}


# -- names ---------------------------------------------------------------------------------------------------------------


def names_page() -> str:
    parts = [
        "# Every public name",
        INTRODUCTION,
        *(
            f"* [`{module}`](#{module.replace('.', '')}): {', '.join(f'`{name}`' for name in names_of(module))}"
            for module in MODULES
        ),
    ]
    described: set[int] = set()
    for module in MODULES:
        parts.append(f"## {module}")
        for name in names_of(module):
            thing = getattr(importlib.import_module(module), name)
            if id(thing) in described:
                parts.append(f"### {module}.{name}\n\nThe same as `kingpost.{name}`.")
            else:
                described.add(id(thing))
                parts.append("\n\n".join(described_name(f"{module}.{name}", name, thing)))
    # Where a signature has `**options`, this is what readers look for.
    linked = "see [RouteOptions](#kingpostroutingrouteoptions)"
    return "\n\n".join(parts).replace("see RouteOptions", linked) + "\n"


def names_of(module: str) -> list[str]:
    """The public names of a module: its `__all__`; without one, what it defines itself."""
    found = importlib.import_module(module)
    listed: list[str] | None = getattr(found, "__all__", None)
    if listed is not None:
        return sorted(listed, key=str.lower)
    return [
        name
        for name, thing in vars(found).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module
    ]


def described_name(title: str, name: str, thing: Any) -> Iterator[str]:
    if name in FOREIGN and not getattr(thing, "__module__", "").startswith("kingpost"):
        yield f"### {title}"
        yield FOREIGN[name]
        return
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        yield f"### {title}"
        yield from alias(name)
        return
    node = node_of(thing)
    yield f"### {title}"
    if isinstance(node, ast.ClassDef):
        makers = [] if is_native(thing) else makers_of(thing, node)
        yield from signatures(name, [each for each in makers if is_overload(each)] or makers)
        yield markdown(ast.get_docstring(node) or "")
        yield from keys(node)
        yield from members(name, thing, node)
    else:
        yield from signatures(name, [node])
        yield markdown(ast.get_docstring(node) or "")


def alias(name: str) -> Iterator[str]:
    """What a name stands for, and the words below it in the source."""
    for file in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for node, words in itertools.pairwise(body):
            if (
                isinstance(node, ast.AnnAssign)
                and ast.unparse(node.target) == name
                and node.value is not None
                and isinstance(words, ast.Expr)
                and isinstance(words.value, ast.Constant)
            ):
                yield f"```text\n{name} = {ast.unparse(node.value)}\n```"
                yield markdown(str(words.value.value))
                return
    raise LookupError(f"{name} is not defined with words below it")


def keys(node: ast.ClassDef) -> Iterator[str]:
    """What a TypedDict may have, from the words below each key in the source."""
    if not any(ast.unparse(base) == "TypedDict" for base in node.bases):
        return
    lines = [
        f"| `{ast.unparse(field.target)}` | `{in_a_table(ast.unparse(field.annotation))}` | {in_a_table(str(words.value.value))} |"
        for field, words in itertools.pairwise(node.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(words, ast.Expr)
        and isinstance(words.value, ast.Constant)
    ]
    if lines:
        yield "\n".join(["| key | type | what it says |", "|---|---|---|", *lines])


def in_a_table(text: str) -> str:
    """Text as it may stand in a cell: on one line, and without an end of the cell in it."""
    return " ".join(text.split()).replace("|", "\\|")


def makers_of(thing: type[Any], node: ast.ClassDef) -> list[Function]:
    """What makes a thing: its own constructor, or that of a private base."""
    for base in thing.__mro__:
        if base is not thing and (not base.__module__.startswith("kingpost") or is_named(base)):
            continue
        source = node if base is thing else class_node(base)
        found = [
            each
            for each in (functions_in(source) if source else [])
            if each.name in ("__init__", "__new__")
        ]
        if found:
            return found
    return []


def members(owner: str, thing: type[Any], node: ast.ClassDef) -> Iterator[str]:
    """Methods and properties with a docstring, those of private bases included."""
    seen: set[str] = set()
    for base in thing.__mro__:
        if not base.__module__.startswith("kingpost") or (base is not thing and is_named(base)):
            continue
        source = node if base is thing else class_node(base)
        if source is None:
            continue
        by_name: dict[str, list[Function]] = {}
        for each in functions_in(source):
            by_name.setdefault(each.name, []).append(each)
        for name, found in by_name.items():
            text = next((doc for each in found if (doc := ast.get_docstring(each))), "")
            if name.startswith("_") or name in seen or not text:
                continue
            seen.add(name)
            yield f"#### {owner}.{name}"
            if not any(is_property(each) for each in found):
                overloads = [each for each in found if is_overload(each)]
                yield from signatures(name, overloads or found[:1])
            yield markdown(text)


def is_named(kind: type[Any]) -> bool:
    """Whether a class is described on its own."""
    return any(kind.__name__ in names_of(module) for module in MODULES)


def node_of(thing: Any) -> ast.ClassDef | Function:
    """The definition of a class or a function; that in the stub for what is written in Rust."""
    file = PACKAGE / "_native.pyi" if is_native(thing) else Path(inspect.getsourcefile(thing) or "")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        if (
            isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == thing.__name__
        ):
            return node
    raise LookupError(f"{file}: {thing.__name__} is not defined there")


def class_node(kind: type[Any]) -> ast.ClassDef | None:
    if is_native(kind):
        return None
    node = node_of(kind)
    return node if isinstance(node, ast.ClassDef) else None


def is_native(thing: Any) -> bool:
    return bool(getattr(thing, "__module__", "") == "kingpost._native")


def functions_in(node: ast.ClassDef) -> list[Function]:
    return [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_overload(node: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)


def is_property(node: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)


def signatures(name: str, nodes: list[Function]) -> Iterator[str]:
    lines = [signature(name, node) for node in nodes]
    if lines:
        yield "```text\n" + "\n".join(lines) + "\n```"


def signature(name: str, node: Function) -> str:
    arguments = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(arguments, Function)  # noqa: S101 - it was one
    given = arguments.args
    for places in (given.posonlyargs, given.args):
        if places and places[0].arg in ("self", "cls", "mcls"):
            del places[0]
            break
    returns = (
        ""
        if node.returns is None or node.name in ("__init__", "__new__")
        else f" -> {ast.unparse(node.returns)}"
    )
    written = ast.unparse(given).removeprefix("/, ")
    start = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    whole = f"{start}{name}({written}){returns}"
    if len(whole) <= 100:
        return whole
    lines = ",\n    ".join(split_arguments(written))
    return f"{start}{name}(\n    {lines},\n){returns}"


def split_arguments(written: str) -> list[str]:
    """Arguments apart, not at the commas inside of brackets and quotes."""
    found, depth, start, quote = [], 0, 0, ""
    for place, character in enumerate(written):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            found.append(written[start:place].strip())
            start = place + 1
    return [*found, written[start:].strip()]


def markdown(docstring: str) -> str:
    """A docstring of Google's convention as Markdown: sections become lists, examples become blocks."""
    parts: list[str] = []
    name, lines = "", list[str]()
    for line in [*docstring.splitlines(), "End:"]:
        title = line.rstrip(":") if line.endswith(":") and not line.startswith(" ") else ""
        if title in SECTIONS or line == "End:":
            parts += section(name, textwrap.dedent("\n".join(lines)).strip("\n"))
            name, lines = title, []
        elif name and line and not line.startswith(" "):
            # Prose after a section.
            parts += section(name, textwrap.dedent("\n".join(lines)).strip("\n"))
            name, lines = "", [line]
        else:
            lines.append(line)
    return "\n\n".join(part for part in parts if part.strip())


def section(name: str, text: str) -> list[str]:
    if not name:
        return [pictures(text)]
    if name == "Example":
        return [example(part) for part in paragraphs(text)]
    items: list[str] = []
    for line in text.splitlines():
        entry = re.match(r"(\*{0,2}\w[\w., |]*): (.*)", line)
        if entry and not line.startswith(" "):
            items.append(f"* `{entry[1]}`: {entry[2]}")
        elif items:
            items[-1] += " " + line.strip()
        else:
            items.append(line)
    return [f"*{name}:*", "\n".join(items)]


def pictures(text: str) -> str:
    """Indented parts, such as the tree of errors, as blocks."""
    return re.sub(
        r"(?m)^((?:    .*\n?|\n(?=    ))+)",
        lambda found: f"```text\n{textwrap.dedent(found[1]).rstrip()}\n```\n",
        text,
    )


def paragraphs(text: str) -> list[str]:
    """Examples and the prose between them, apart."""
    if text.startswith("```"):
        return [text]
    return re.split(r"\n\n(?! |>>>|\.\.\.)", text)


def example(text: str) -> str:
    if text.startswith("```python"):
        # As the formatter of this repository would have it.
        return re.sub(r"\n\n+(?=@|def |class )", "\n\n\n", text)
    if ">>>" not in text:
        return text
    language = "text" if re.search(r"\bawait |\basync ", text) else "pycon"
    return f"```{language}\n{text}\n```"


# -- limits --------------------------------------------------------------------------------------------------------------


# Limits for users of the crates: the Python layers have values of their own for these, and no route asks for uploads yet.
NOT_SERVED = {"upload", "query_pairs", "cookies", "cookie"}


def limits_page() -> str:
    engine = (ROOT / "crates" / "wire" / "src" / "limits.rs").read_text(encoding="utf-8")
    server, _, forms = engine.partition("pub struct MultipartLimits")
    python = ast.parse((PACKAGE / "limits.py").read_text(encoding="utf-8"))
    return "\n".join(
        [
            "# Limits",
            "",
            "Every default, from `crates/wire/src/limits.rs` and `python/kingpost/limits.py` by `docs/reference/generate.py`.",
            "Each is the largest value that is still accepted. A route sets its own `max_body`, `timeout` and `form_limits`.",
            "",
            "## The server",
            "",
            "`kingpost run --limit NAME=N` and `kingpost dev --limit NAME=N` set each of these, sizes in bytes and times in milliseconds; but a route's",
            "`max_body` takes the place of `body`, and `--grace` that of `drain_timeout`.",
            "",
            *engine_limits(server),
            "",
            "## Forms with files",
            "",
            "A route's `form_limits` sets `fields`, `files`, `field`, `memory` and `file`, and `spool`, which is `UPLOAD_IN_MEMORY` below.",
            "",
            *engine_limits(forms),
            "",
            "## What is read of a request, and said in answers",
            "",
            "| limit | value | what it bounds |",
            "|---|---|---|",
            *python_limits(python),
            "",
        ]
    )


def engine_limits(source: str) -> Iterator[str]:
    yield "| limit | what it bounds |"
    yield "|---|---|"
    for text, name in re.findall(r"((?: +/// .*\n)+) +pub (\w+):", source):
        if name not in NOT_SERVED:
            yield f"| `{name}` | {' '.join(re.findall(r'/// (.*)', text))} |"


def python_limits(tree: ast.Module) -> Iterator[str]:
    values = vars(importlib.import_module("kingpost.limits"))
    for field, words in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(words, ast.Expr)
            and isinstance(words.value, ast.Constant)
        ):
            name = ast.unparse(field.target)
            yield f"| `{name}` | {values[name]:,} | {words.value.value} |"


if __name__ == "__main__":
    sys.exit(main())
