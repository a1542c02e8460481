"""The key that sessions, tokens and signed links stand on.

Development makes one and keeps it in `.env`, so that a restart signs nobody out. Production never makes one: two workers would make two,
and a restart would end every session; it refuses to start once something needs a key.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from kingpost.errors import SettingsError
from kingpost.settings.dotenv import read_dotenv
from kingpost.settings.settings import DOTENV, Settings, forget, variable_of

SHORTEST = 32
"""Characters that a secret key has at least."""

_GENERATED_BYTES = 48


def ensure_secret_key(
    settings: type[Settings] = Settings,
    *,
    file: Path | None = None,
    before_writing: Callable[[Path], None] | None = None,
) -> str:
    """Make a secret key and keep it in `.env`, unless there is one already. For `kingpost dev`, before settings are loaded.

    Args:
        settings: The App's settings class; its prefix counts.
        file: Another file than `.env` in the working directory.
        before_writing: Told of the file if it is about to be written.

    Returns:
        A sentence for the console; "" when there was a key.

    Raises:
        SettingsError: The file is malformed.
    """
    path = Path(DOTENV) if file is None else file
    variable = variable_of(settings, "secret_key")
    line = read_dotenv(path).get(variable)
    if os.environ.get(variable) or (line is not None and line.value):
        return ""
    import secrets

    key = secrets.token_urlsafe(_GENERATED_BYTES)
    if before_writing is not None:
        before_writing(path)
    try:
        _write(path, f"{variable}={key}", 0 if line is None else line.place.line)
    except OSError as error:
        os.environ[variable] = key
        forget(settings)
        return f"{path} cannot be written ({error.strerror}): the secret key lives until the server stops"
    # An empty variable in the environment would hide the line from what the program starts.
    os.environ.pop(variable, None)
    # Settings that a module read before are read anew.
    forget(settings)
    return f"made {variable} and kept it in {path}; keep that file out of version control"


def require_secret_key(settings: Settings, *, needed_by: str) -> str:
    """The key, or a refusal to start.

    Args:
        settings: The loaded settings.
        needed_by: What cannot work without it, such as "Sessions()".

    Raises:
        SettingsError: There is none (code `settings.no-secret-key`) or it has fewer than 32 characters (code `settings.weak-secret-key`).
    """
    variable = variable_of(type(settings), "secret_key")
    key = "" if settings.secret_key is None else settings.secret_key.reveal()
    make_one = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if not key:
        raise SettingsError(
            f"{variable} is missing, and {needed_by} signs with it",
            code="settings.no-secret-key",
            remedy=f"make one with {make_one} and set it in the environment, the same for every worker and host",
        )
    if len(key) < SHORTEST:
        raise SettingsError(
            f"{variable} has {len(key)} characters, and {needed_by} needs at least {SHORTEST}",
            code="settings.weak-secret-key",
            remedy=f"make one with {make_one}",
        )
    return key


def _write(path: Path, text: str, line: int) -> None:
    """Put `text` in place of `line`, or at the end when it is 0; a new file is readable by its owner only."""
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = present.splitlines()
    if line:
        lines[line - 1] = text
    else:
        lines.append(text)
    # Written beside and renamed: a full disk must not leave half of a file that holds other secrets.
    # Its name is none that `kingpost dev` watches.
    beside = path.with_name(path.name + "-new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        if present:
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
