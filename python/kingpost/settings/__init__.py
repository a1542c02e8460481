"""What differs between machines: read from the environment and `.env`, converted, and checked before the first request."""

from kingpost.settings.secret import Secret
from kingpost.settings.settings import Settings, explain

__all__ = ["Secret", "Settings", "explain"]
