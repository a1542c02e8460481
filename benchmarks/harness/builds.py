"""Builds what is measured: an environment per Python peer, and the two programs without Python.

Everything lands below .cache/bench and is kept; deleting that folder builds anew, with the newest
releases of the peers. What cannot be had raises BuildError with a reason that the report shows.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.places import CACHE, EPOLL_SOURCE, ROOT
from harness.server import clean_environment

BUILD_TIMEOUT = 1800.0  # seconds for one build; a C extension without a wheel takes minutes
DESCRIBE = "import sys,platform as p; print(p.python_implementation(), p.python_version())"
OUR_SOURCES = ("crates", "python", "Cargo.toml", "Cargo.lock", "pyproject.toml")


class BuildError(Exception):
    """A peer cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something built: the substitutions of its command line, and what it is made of."""

    substitutions: dict[str, str]
    interpreter: str  # "CPython 3.11.7", or the compiler's name
    versions: dict[str, str] = field(
        default_factory=dict[str, str]
    )  # of each distribution installed


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with distributions from the package registry."""

    name: str
    requirements: tuple[str, ...]
    dependencies: bool = True  # False: without what the distributions themselves ask for
    python: str | None = None  # "3.6"; None: the interpreter that the run was given

    def build(self, interpreter: Path) -> Tool:
        if self.python is not None:
            interpreter = find_python(self.python)
        return _environment(
            self.name, interpreter, self.requirements, dependencies=self.dependencies
        )


@dataclass(frozen=True, slots=True)
class Kingpost:
    """This tree, built in release mode and installed; built again when its sources change."""

    def build(self, interpreter: Path) -> Tool:
        given = os.environ.get("KINGPOST_BENCH_PYTHON")
        if given:
            return _tool(Path(given).parent)
        requirements = (str(ROOT),)
        return _environment("kingpost", interpreter, requirements, fingerprint=_fingerprint())


@dataclass(frozen=True, slots=True)
class RustLimit:
    """`crates/server/examples/hello.rs`: our engine without Python."""

    def build(self, _interpreter: Path) -> Tool:
        if not (ROOT / "crates/server/examples/hello.rs").exists():
            raise BuildError("the example hello of the server crate is not there")
        cargo = shutil.which("cargo")
        if cargo is None:
            raise BuildError("cargo is not installed")
        output = _run(
            [
                *(cargo, "build", "--release", "--package", "kingpost-server"),
                *("--example", "hello", "--message-format", "json-render-diagnostics"),
            ]
        )
        for line in output.splitlines():
            message: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
            if message.get("executable") and message["target"]["name"] == "hello":
                version = _run([cargo, "--version"]).strip()
                return Tool({"program": message["executable"]}, version)
        raise BuildError("cargo built no program hello")


@dataclass(frozen=True, slots=True)
class EpollLimit:
    """`limit/epoll.c`: what the kernel alone costs."""

    def build(self, _interpreter: Path) -> Tool:
        program = compile_c(EPOLL_SOURCE)
        version = _run(["cc", "--version"]).splitlines()[0]
        return Tool({"program": str(program)}, version)


@dataclass(frozen=True, slots=True)
class Installed:
    """A program of the system's own packages."""

    name: str
    version: str  # the option that makes it tell its version

    def build(self, _interpreter: Path) -> Tool:
        found = shutil.which(self.name) or shutil.which(self.name, path="/usr/sbin:/usr/local/sbin")
        if found is None:
            raise BuildError(f"{self.name} is not installed (apt install {self.name})")
        told = subprocess.run(
            [found, self.version], capture_output=True, text=True, check=False, timeout=60
        )
        return Tool(
            {"program": found, "python": sys.executable}, (told.stdout + told.stderr).strip()
        )


def compile_c(source: Path) -> Path:
    """The program of one file of C, built again where the file is newer. Raises BuildError."""
    program = CACHE / source.stem
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("cc")
        if compiler is None:
            raise BuildError("no C compiler")
        CACHE.mkdir(parents=True, exist_ok=True)
        _run([compiler, "-O2", "-o", str(program), str(source)])
    return program


Source = Environment | Kingpost | RustLimit | EpollLimit | Installed


def find_python(version: str) -> Path:
    """An interpreter `version` on the path or among pyenv's. Raises BuildError."""
    candidates = [Path(found)] if (found := shutil.which(f"python{version}")) else []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)
    for candidate in candidates:
        # A pyenv shim is on the path even when the version behind it is not switched on.
        try:
            described = _run([str(candidate), "-c", DESCRIBE])
        except BuildError:
            continue
        if f" {version}." in described:
            return candidate
    raise BuildError(f"no Python {version} found")


def _environment(
    name: str,
    interpreter: Path,
    requirements: Sequence[str],
    *,
    dependencies: bool = True,
    fingerprint: str = "",
) -> Tool:
    described = _run([str(interpreter), "-c", DESCRIBE]).strip()
    folder = CACHE / described.replace(" ", "-").lower() / name
    wanted = json.dumps([*requirements, dependencies, fingerprint])
    stamp = folder / "built.json"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"  building {name} on {described} …", flush=True)
        if not (folder / "bin/python").exists():
            _run([str(interpreter), "-m", "venv", str(folder)])
        install = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
        flags = [] if dependencies else ["--no-deps"]
        if fingerprint:
            # Our version number does not change with every edit of the tree.
            _run([*install, "--force-reinstall", "--no-deps", *requirements])
        _run([*install, *flags, *requirements])
        stamp.write_text(wanted)
    return _tool(folder / "bin")


def _tool(folder: Path) -> Tool:
    python = str(folder / "python")
    listed = _run([python, "-m", "pip", "list", "--format", "json"])
    start = listed.index("[{")
    packages = json.JSONDecoder().raw_decode(listed[start:])[0]
    return Tool(
        substitutions={"python": python, "bin": str(folder)},
        interpreter=_run([python, "-c", DESCRIBE]).strip(),
        versions={package["name"].lower(): package["version"] for package in packages},
    )


def _fingerprint() -> str:
    """Changes with every edit of what Kingpost is built from."""
    digest = hashlib.sha256()
    for name in OUR_SOURCES:
        start = ROOT / name
        files = sorted(start.rglob("*")) if start.is_dir() else [start]
        for file in files:
            if file.is_file() and file.suffix not in (".pyc", ".so"):
                digest.update(str(file.relative_to(ROOT)).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _run(command: Sequence[str]) -> str:
    """The standard output of a command. Raises BuildError with the end of what it said."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=clean_environment(),
            timeout=BUILD_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(f"{Path(command[0]).name}: {said[-1][:200] if said else 'failed'}")
    return done.stdout
