"""OpenAPI 3.1 from the types alone: a document for machines, and a page for people."""

from __future__ import annotations

from kingpost.openapi.document import document
from kingpost.openapi.plugin import OpenAPI

__all__ = ["OpenAPI", "document"]
