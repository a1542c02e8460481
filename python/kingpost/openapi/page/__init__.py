"""The page of an API: everything in one document, made when the App starts."""

from __future__ import annotations

from kingpost.openapi.page.shell import policy, shown

__all__ = ["policy", "shown"]
