"""A release's version and changelog must agree: `python -m tools.release` says whether they do.

Rule 1: the version stands in Cargo.toml alone; pyproject.toml takes it from there.
Rule 2: CHANGELOG.md begins with `## Unreleased`. Below it stand the released versions, newest first, as
`## 1.2.3 (2026-11-23)`.
Rule 3: the version is the newest released one, or comes after it.
Rule 4: where the commit at hand is tagged `v1.2.3`, that is the version, and the newest one released.
"""

from __future__ import annotations

import re
import sys
import tomllib

from tools.console import ROOT, ask


def problems(cargo: str, pyproject: str, changelog: str, tags: str = "") -> list[str]:
    """Compare the texts of the three files, and the tags of the commit, one a line."""
    found: list[str] = []
    version: str = tomllib.loads(cargo)["workspace"]["package"]["version"]
    project = tomllib.loads(pyproject)["project"]
    if "version" in project or "version" not in project.get("dynamic", []):
        found.append('pyproject.toml must say dynamic = ["version"] and no version of its own')
    headings: list[str] = re.findall(r"^## +(.*?) *$", changelog, re.MULTILINE)
    if headings[:1] != ["Unreleased"]:
        found.append("the first section of CHANGELOG.md must be '## Unreleased'")
    released: list[str] = []
    for heading in headings[1:]:
        if match := re.fullmatch(r"(\d+\.\d+\.\d+(?:-[\w.]+)?) \(\d{4}-\d{2}-\d{2}\)", heading):
            released.append(match[1])
        else:
            found.append(f"CHANGELOG.md: '## {heading}' is not like '## 1.2.3 (2026-11-23)'")
    if sorted(released, key=_order, reverse=True) != released:
        found.append("CHANGELOG.md: the newest version must come first")
    if released and _order(version) < _order(released[0]):
        found.append(f"Cargo.toml says {version}, and CHANGELOG.md has released {released[0]}")
    for tag in tags.split():
        if re.match(r"v\d", tag) and not (tag == f"v{version}" and released[:1] == [version]):
            top = released[0] if released else "no release"
            found.append(f"tag {tag}, version {version} in Cargo.toml, {top} in CHANGELOG.md")
    return found


def _order(version: str) -> tuple[list[int], bool, str]:
    """Sorts 1.2.0-rc.1 before 1.2.0."""
    numbers, _, suffix = version.partition("-")
    return [int(number) for number in numbers.split(".")], suffix == "", suffix


def main() -> int:
    """Print what does not agree."""
    found = problems(
        (ROOT / "Cargo.toml").read_text(encoding="utf-8"),
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        ask("git", "tag", "--points-at", "HEAD") or "",
    )
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
