"""What `./dev` does. Needs nothing but the standard library of Python 3.11.

Layout: `__main__` has the commands; `environment` makes the virtual environment, `toolchain` finds or
installs Rust and a C compiler with the help of `machine`, `extension` builds the native module,
`stamps` remembers what is done already. `checks`, `suites`, `fuzzing` and `wheels` are what the
commands run, `release` compares version and changelog, `console` runs programs and talks.
"""
