"""Assets for browsers are what was pinned."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from tools import assets
from tools.assets import Asset, pinned, unpack
from tools.console import Failure


@pytest.fixture
def tarball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "FETCHED", tmp_path / "fetched")
    file = tmp_path / "x.tgz"
    with tarfile.open(file, "w:gz") as archive:
        member = tarfile.TarInfo("package/dist/x.js")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"ab"))
    return file


def asset(tarball: Path, *files: str) -> Asset:
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    return Asset("x", "x.js", "1.0.0", f"sha512-{digest}", files)


def test_files_are_taken_out_of_the_pinned_tarball(tarball: Path) -> None:
    made = asset(tarball, "dist/x.js")
    assert not made.is_there

    unpack(made, tarball)

    assert made.is_there
    assert (made.folder / "x.js").read_bytes() == b"ab"


def test_another_tarball_is_refused(tarball: Path) -> None:
    made = asset(tarball, "dist/x.js")
    tarball.write_bytes(tarball.read_bytes() + b"x")

    with pytest.raises(Failure, match="is not what was pinned"):
        unpack(made, tarball)
    assert not made.is_there


def test_a_file_that_is_not_there_is_named(tarball: Path) -> None:
    with pytest.raises(Failure, match=r"has no file dist/y\.js"):
        unpack(asset(tarball, "dist/y.js"), tarball)


def test_what_is_pinned_has_a_version_and_an_integrity() -> None:
    for each in pinned():
        assert each.version[0].isdigit()
        assert each.integrity.startswith("sha512-")
        assert each.files
