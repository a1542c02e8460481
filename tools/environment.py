"""The virtual environment: `.venv`, or `.venv-3.14` where KINGPOST_PYTHON names an interpreter."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

from tools import machine
from tools.console import ROOT, ask, run, say


def folder() -> Path:
    """Where the environment is or will be."""
    if os.environ.get("KINGPOST_PYTHON"):
        return ROOT / f".venv-{sys.version_info.major}.{sys.version_info.minor}"
    return ROOT / ".venv"


def prepare(*groups: str) -> Path:
    """Make the environment if it is not there, and install what is missing of these groups.

    From then on every program that is started finds the environment first.

    Args:
        groups: names of dependency groups of pyproject.toml; the project's own dependencies are
            always installed.

    Returns:
        The environment's interpreter.

    Raises:
        Failure: it cannot be made; the message has the command to type.
    """
    python = _create()
    wanted = requirements(*groups)
    record = folder() / "kingpost-requirements"
    known = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    if missing := [line for line in wanted if line not in known]:
        say(f"installing into {folder().name}: {', '.join(missing)}")
        run(python, "-m", "pip", "install", "--quiet", *missing)
        record.write_text("\n".join(sorted({*known, *wanted})) + "\n", encoding="utf-8")
    os.environ["VIRTUAL_ENV"] = str(folder())
    os.environ["PATH"] = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    os.environ["PYO3_PYTHON"] = str(python)
    os.environ.pop("PYTHONHOME", None)
    return python


def _create() -> Path:
    python = folder() / "bin" / "python"
    if ask(python, "-c", "import pip") is not None:
        return python
    if ask(sys.executable, "-c", "import ensurepip, venv") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        machine.install("Python's venv module", apt=(f"python{version}-venv",))
    say(f"making a virtual environment in {folder().name} with Python {sys.version.split()[0]}")
    shutil.rmtree(folder(), ignore_errors=True)
    # From inside an environment, its own interpreter would be a link to a link: take the real one.
    run(getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--upgrade-deps", folder())
    return python


def requirements(*names: str) -> list[str]:
    """Return the project's own dependencies and those of these groups."""
    wanted: dict[str, None] = dict.fromkeys(_project()["project"]["dependencies"])
    for name in names:
        wanted.update(dict.fromkeys(group(name)))
    return list(wanted)


def group(name: str) -> list[str]:
    """Return the requirements of one group alone."""
    return _group(_project()["dependency-groups"], name)


def _project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def _group(groups: dict[str, list[Any]], name: str) -> list[str]:
    lines: list[str] = []
    for entry in groups[name]:
        lines += [entry] if isinstance(entry, str) else _group(groups, entry["include-group"])
    return lines
