import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kingpost.server import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Puts back what a test has configured."""
    root, ours = logging.getLogger(), logging.getLogger("kingpost")
    before = (root.handlers[:], root.level, ours.handlers[:], ours.level)
    known = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    disabled = [logger.disabled for logger in known]
    yield
    root.handlers[:], ours.handlers[:] = before[0], before[2]
    root.setLevel(before[1])
    ours.setLevel(before[3])
    # dictConfig has disabled every logger that there was, asyncio's own among them.
    for logger, was_disabled in zip(known, disabled, strict=True):
        logger.disabled = was_disabled
    logs.logger().disabled = False


def forget_configuration() -> None:
    """As in a fresh process. Called in the test itself: pytest adds its handlers after the fixtures."""
    root, ours = logging.getLogger(), logging.getLogger("kingpost")
    root.handlers[:], ours.handlers[:] = [], []
    ours.setLevel(logging.NOTSET)


def test_without_configuration_what_is_said_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forget_configuration()
    logs.set_up()

    logs.logger().info("ready")
    logs.logger().warning("careful")

    assert capsys.readouterr().err == "ready\nWARNING: careful\n"


def test_set_up_twice_says_things_once(capsys: pytest.CaptureFixture[str]) -> None:
    forget_configuration()
    logs.set_up()
    logs.set_up()

    logs.logger().info("ready")

    assert capsys.readouterr().err == "ready\n"


def test_a_programs_own_configuration_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    forget_configuration()
    logging.basicConfig(level=logging.WARNING, format="mine: %(message)s")

    logs.set_up()
    logs.logger().info("ready")
    logs.logger().warning("careful")

    assert capsys.readouterr().err == "mine: careful\n"


def test_dict_config_with_its_defaults_does_not_silence_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forget_configuration()
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {"short": {"format": "%(name)s: %(message)s"}},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "short"}},
            "root": {"level": "INFO", "handlers": ["console"]},
        }
    )

    logs.set_up()
    logs.logger("never.used.before").info("ready")

    assert capsys.readouterr().err == "kingpost.never.used.before: ready\n"


def test_configuration_that_comes_later_takes_over(capsys: pytest.CaptureFixture[str]) -> None:
    forget_configuration()
    logs.set_up()
    logging.basicConfig(level=logging.INFO, format="mine: %(message)s")

    logs.logger().info("ready")

    assert capsys.readouterr().err == "mine: ready\n"


def test_a_handler_of_ours_that_a_program_configures_is_the_only_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forget_configuration()
    logging.getLogger("kingpost").addHandler(logging.NullHandler())

    logs.set_up()
    logs.logger().warning("careful")

    assert capsys.readouterr().err == ""


PROGRAM = """
import logging, warnings
from kingpost.server import logs
logs.set_up()
logging.getLogger("shop").info("one")
warnings.warn("two")
logging.getLogger("kingpost.server").info("three")
"""


def run(program: str, tmp_path: Path, **environment: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, **environment},
    )
    return done.stderr.splitlines()


def test_where_nothing_is_configured_all_loggers_write_json(tmp_path: Path) -> None:
    said = [json.loads(line) for line in run(PROGRAM, tmp_path, KINGPOST_LOG_FORMAT="json")]

    assert [each["logger"] for each in said] == ["shop", "py.warnings", "kingpost.server"]


def test_what_a_program_configures_is_obeyed(tmp_path: Path) -> None:
    program = f"import logging\nlogging.basicConfig(format='mine %(message)s', level=20)\n{PROGRAM}"

    assert "mine three" in run(program, tmp_path, KINGPOST_LOG_FORMAT="json")


def test_text_is_what_is_written_else(tmp_path: Path) -> None:
    assert run(PROGRAM, tmp_path)[-1] == "three"
    assert logs.FORMAT == "KINGPOST_LOG_FORMAT"
