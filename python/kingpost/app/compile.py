"""`compile_app`: from an App to what a server serves."""

from __future__ import annotations

from kingpost.app.application import App
from kingpost.app.compiled import CompiledApp
from kingpost.app.mode import chosen_mode
from kingpost.types import Mode

__all__ = ["CompiledApp", "compile_app"]


def compile_app(app: App, *, mode: Mode) -> CompiledApp:
    """Compile an App; routes that are registered later are refused.

    Args:
        app: the App.
        mode: overruled by `KINGPOST_ENV`.

    Raises:
        ConfigurationError: something that was registered cannot work. Where there are several such, the first is raised, and the others
            are its notes.
    """
    return app.__compile__(chosen_mode(mode))
