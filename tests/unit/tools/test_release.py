"""The check that version, changelog and tag agree."""

import pytest

from tools import release

CARGO = '[workspace.package]\nversion = "0.2.0"\n'
PYPROJECT = '[project]\nname = "kingpost"\ndynamic = ["version"]\n'
CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-01-02)\n\n## 0.1.0-rc.1 (2026-01-01)\n"


@pytest.mark.parametrize("released", ["", "## 0.2.0 (2026-11-23)\n\n## 0.1.0 (2026-01-02)\n"])
def test_a_version_that_is_the_newest_or_comes_after_it_is_good(released: str) -> None:
    changelog = f"# Changelog\n\n## Unreleased\n\n### Features\n\n- One.\n\n{released}"

    assert release.problems(CARGO, PYPROJECT, changelog) == []


def test_the_project_itself_is_good() -> None:
    assert release.main() == 0


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        ("# Changelog\n", "'## Unreleased'"),
        ("## 0.1.0 (2026-01-02)\n", "'## Unreleased'"),
        ("## Unreleased\n\n## 0.3.0 (2026-01-02)\n", "has released 0.3.0"),
        ("## Unreleased\n\n## 0.1.0\n", "is not like"),
        ("## Unreleased\n\n## 0.1.0 (2026-01-02)\n\n## 0.2.0 (2026-01-03)\n", "newest version"),
    ],
)
def test_a_changelog_that_does_not_fit_is_refused(changelog: str, expected: str) -> None:
    (problem,) = release.problems(CARGO, PYPROJECT, changelog)

    assert expected in problem


def test_a_version_of_its_own_in_pyproject_is_refused() -> None:
    pyproject = '[project]\nname = "kingpost"\nversion = "0.2.0"\n'

    (problem,) = release.problems(CARGO, pyproject, CHANGELOG)

    assert "no version of its own" in problem


def test_a_tag_must_be_the_version_and_the_newest_release() -> None:
    released = "## Unreleased\n\n## 0.2.0 (2026-11-23)\n"

    assert release.problems(CARGO, PYPROJECT, released, "nightly\nv0.2.0") == []
    assert len(release.problems(CARGO, PYPROJECT, released, "v0.2.1")) == 1
    assert len(release.problems(CARGO, PYPROJECT, CHANGELOG, "v0.2.0")) == 1
