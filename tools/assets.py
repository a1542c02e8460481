"""Scripts and styles for browsers: pinned npm packages, fetched by npm, checked against their integrity, never committed.

`assets.json` beside this file says which files of which package, in which version. `python -m tools.assets` fetches them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.console import Failure, say

PINNED = Path(__file__).with_name("assets.json")
FETCHED = Path(__file__).resolve().parents[1] / "target" / "assets"


@dataclass(frozen=True)
class Asset:
    """A package of which some files are used.

    Attributes:
        name: ours.
        package: npm's.
        version: the one that is used.
        integrity: of its tarball, as npm writes it: `sha512-` and the digest in base64.
        files: paths in the package.
    """

    name: str
    package: str
    version: str
    integrity: str
    files: Sequence[str]

    @property
    def folder(self) -> Path:
        """Where its files are when it was fetched."""
        return FETCHED / f"{self.name}-{self.version}"

    @property
    def is_there(self) -> bool:
        return all((self.folder / Path(file).name).is_file() for file in self.files)


def pinned(text: str | None = None) -> list[Asset]:
    """The assets that `assets.json` names."""
    found = json.loads(text or PINNED.read_text(encoding="utf-8"))
    return [Asset(name, **members) for name, members in found.items()]


def fetch(asset: Asset) -> None:
    """Fetch an asset unless it is there.

    Raises:
        Failure: npm is not there or has no such package, or it is not the one that was pinned.
    """
    if asset.is_there:
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "npm",
            "pack",
            f"{asset.package}@{asset.version}",
            "--ignore-scripts",
            "--silent",
        ]
        try:
            subprocess.run(
                [*command, "--pack-destination", folder], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failure(f"npm cannot fetch {asset.package} {asset.version}: {error}") from error
        (tarball,) = Path(folder).glob("*.tgz")
        unpack(asset, tarball)
    say(f"{asset.package} {asset.version}: fetched")


def unpack(asset: Asset, tarball: Path) -> None:
    """Take the files of an asset out of its tarball.

    Raises:
        Failure: the tarball is not the one that was pinned, or lacks a file.
    """
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != asset.integrity:
        raise Failure(f"{asset.package} {asset.version} is not what was pinned: sha512-{digest}")
    contents: dict[str, bytes] = {}
    with tarfile.open(tarball) as archive:
        for file in asset.files:
            try:
                member = archive.extractfile(f"package/{file}")
            except KeyError:
                member = None
            if member is None:
                raise Failure(f"{asset.package} {asset.version} has no file {file}")
            contents[Path(file).name] = member.read()
    asset.folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (asset.folder / name).write_bytes(content)


if __name__ == "__main__":
    for each in pinned():
        fetch(each)
