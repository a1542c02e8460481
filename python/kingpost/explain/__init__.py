"""The catalogue of codes: every refusal at start-up and every 4xx of ours, with a wrong program and the right one.

`kingpost explain CODE` prints an entry. One file of `entries/` is one code; the format stands in `entry.py`.
"""

from kingpost.explain.catalogue import closest, codes, explain
from kingpost.explain.entry import Entry

__all__ = ["Entry", "closest", "codes", "explain"]
