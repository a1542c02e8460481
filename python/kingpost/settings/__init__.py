"""What differs between machines: read from the environment and `.env`, converted, and checked before the first request."""

from kingpost.settings.secret import Secret
from kingpost.settings.secret_key import ensure_secret_key, require_secret_key
from kingpost.settings.settings import Settings, explain

__all__ = ["Secret", "Settings", "ensure_secret_key", "explain", "require_secret_key"]
