# refused by mypy: Argument 1 to "KeyRing" has incompatible type "Secret[str] | None"
from kingpost import Settings
from kingpost.signing import KeyRing

keys = KeyRing(Settings.load().secret_key)
