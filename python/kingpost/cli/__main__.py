"""`python -m kingpost.cli` is `kingpost`."""

from kingpost.cli import main

if __name__ == "__main__":
    main()
