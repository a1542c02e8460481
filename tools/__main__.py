"""The commands of `./dev`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tools import assets, checks, environment, extension, suites, toolchain, wheels
from tools.console import ROOT, Failure

USAGE = """\
usage: ./dev COMMAND [ARGUMENTS]

  demo             serve the example application and print where; PORT=8080 ./dev demo
  test             every test; --long adds fuzzing, all else goes to pytest: ./dev test -k router
  check            every linter, type checker and audit; ./dev check mypy for one of them
  bench            measure against the peers; ./dev bench --help
  docs             run every block of the documentation
  wheels [TARGET]  build wheels into dist/; ./dev wheels --help

Each sets up what it needs and says so: a virtual environment in .venv, Rust, a C compiler, files for browsers.
KINGPOST_PYTHON=python3.14 ./dev COMMAND takes that interpreter, with an environment of its own.
"""


EVERYTHING = ("build", "demo", "test", "check")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    command, *rest = arguments or ["help"]
    os.chdir(ROOT)
    try:
        match command:
            case "demo":
                python = environment.prepare("build", "demo")
                # The build takes minutes: what may fail for want of a network is told before it.
                assets.prepare()
                extension.prepare(python)
                suites.demo(python, rest)
            case "test" | "docs":
                python = environment.prepare(*EVERYTHING)
                extension.prepare(python)
                assets.prepare_or_say()
                return (suites.test if command == "test" else suites.docs)(python, rest)
            case "check":
                python = environment.prepare(*EVERYTHING)
                extension.prepare(python)
                toolchain.prepare_linters()
                checks.run_all(python, rest)
            case "bench":
                python = environment.prepare(*EVERYTHING)
                extension.prepare(python)
                suites.bench(python, rest)
            case "wheels":
                wheels.build(rest)
            case "help" | "-h" | "--help":
                print(USAGE, end="")
            case _:
                print(USAGE, end="", file=sys.stderr)
                return 2
    except Failure as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
