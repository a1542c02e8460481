"""Measures Kingpost and its peers side by side: `./dev bench`, or `python benchmarks/run.py`."""

import sys

from harness.command import main

if __name__ == "__main__":
    sys.exit(main())
