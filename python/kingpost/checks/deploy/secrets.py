"""Keys and passwords: whether they can be guessed, or read by others."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from kingpost.checks.deploy.site import Setup, Site, Told, error, warning
from kingpost.settings import Secret, Settings
from kingpost.settings.secret_key import SHORTEST
from kingpost.settings.settings import DOTENV, variable_of
from kingpost.staticfiles import Static

MAKE_ONE: Final = "make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
DISTINCT: Final = 9
"""Different characters that a key has at least which was made by chance, of hexadecimal digits as well."""
PLACEHOLDER = re.compile(
    r"change.?me|secret|example|insecure|default|your.?key|xxxx|1234", re.IGNORECASE
)
NAME = re.compile(
    r"(^|_)(secret|password|passwd|passphrase|token|api_?key|private_?key|secret_?key)$",
    re.IGNORECASE,
)
LITERAL = re.compile(
    r"""^[ \t]*(?P<name>[A-Za-z_][A-Za-z0-9_.]*)[ \t]*(?::[^=\n]+)?=[ \t]*(?P<quote>["'])(?P<value>[^"'\n{}]{8,})(?P=quote)[ \t]*(?:#.*)?$""",
    re.MULTILINE,
)
GROUP_OR_OTHERS: Final = 0o077
PRIVATE: Final = {"pyproject.toml", "id_rsa", "id_ed25519"}
PRIVATE_SUFFIXES: Final = (".py", ".sqlite", ".sqlite3", ".db", ".pem", ".key")


def secret_key(site: Site) -> Iterator[Told]:
    """That the key was made by chance."""
    settings = site.app.settings
    if settings.secret_key is None or not (key := settings.secret_key.reveal()):
        return
    variable = variable_of(type(settings), "secret_key")
    if found := weakness(key, SHORTEST):
        yield error(f"{variable} {found}", MAKE_ONE)


def weakness(key: str, shortest: int) -> str:
    """Why a key can be guessed; empty where it cannot."""
    if len(key) < shortest:
        return f"has {len(key)} characters, and {shortest} are the least"
    if len(set(key)) < DISTINCT or PLACEHOLDER.search(key):
        return "looks like one that a person has typed"
    return ""


def default_secret(site: Site) -> Iterator[Told]:
    """That no secret is the one that stands in the source."""
    settings = site.app.settings
    for field in msgspec.structs.fields(type(settings)):
        if field.name in Settings.__struct_fields__ or field.default in (msgspec.NODEFAULT, None):
            continue
        value = getattr(settings, field.name)
        is_secret = isinstance(value, Secret) or NAME.search(field.name) is not None
        plain = value.reveal() if isinstance(value, Secret) else value  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType] - of anything
        if is_secret and plain and value == field.default:
            yield error(
                f"{variable_of(type(settings), field.name)} is not set, so its default is used, which everybody knows who has the source",
                "set it in the environment, and leave the default out",
            )


def in_code(site: Setup) -> Iterator[Told]:
    """That no secret stands in the source."""
    for path, text in site.files.items():
        for found in LITERAL.finditer(text):
            name = found["name"].rpartition(".")[2]
            if NAME.search(name) and not found["value"].startswith(("http", "/")):
                line = text.count("\n", 0, found.start("name")) + 1
                yield warning(
                    f"{name} stands in the source: whoever has the repository has it, and so has whoever gets its history",
                    "set it in the environment, and read it from there: in an App as a field of its Settings, name: Secret[str]",
                    f"{path}:{line}",
                )


def env_file_mode(site: Setup) -> Iterator[Told]:
    """That only its owner reads the file with the secrets."""
    path = site.machine.folder / DOTENV
    # Windows has no such permissions.
    if site.machine.user is None or not path.is_file():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & GROUP_OR_OTHERS:
        yield warning(
            f"{DOTENV} can be read by others on this machine: its mode is {mode:o}",
            f"chmod 600 {DOTENV}",
        )


def env_file_tracked(site: Setup) -> Iterator[Told]:
    """That the file with the secrets is not in the repository."""
    folder = site.machine.folder
    if not (folder / DOTENV).is_file() or not (folder / ".git").exists():
        return
    try:
        asked = subprocess.run(  # noqa: S603 - our own words
            ["git", "-C", str(folder), "ls-files", "--error-unmatch", DOTENV],  # noqa: S607 - the user's git
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if asked.returncode == 0:
        yield error(
            f"{DOTENV} is in the repository: whoever clones it has every secret",
            f"git rm --cached {DOTENV}, write it into .gitignore, and make the secrets anew",
        )


def static_files(site: Site) -> Iterator[Told]:
    """That no folder of files gives away what is not for visitors."""
    for each in site.group(Static):
        for path in sorted(each.folder.rglob("*")):
            inside = path.relative_to(each.folder)
            if is_private(inside, dot_files=each.dot_files) and path.is_file():
                yield error(
                    f"{each.prefix}/{inside.as_posix()} is served to everybody",
                    "serve a folder that has nothing but what browsers load",
                    each.place,
                )
                break


def is_private(path: Path, *, dot_files: bool) -> bool:
    """Whether a file in a served folder is none for browsers."""
    if any(part.startswith(".") for part in path.parts):
        return dot_files and (path.name == DOTENV or ".git" in path.parts)
    return path.suffix in PRIVATE_SUFFIXES or path.name in PRIVATE


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "secrets-in-code": in_code,
    "env-file-mode": env_file_mode,
    "env-file-tracked": env_file_tracked,
}
OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "secret-key": secret_key,
    "default-secret": default_secret,
    "static-files": static_files,
}
