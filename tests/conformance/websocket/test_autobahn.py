"""The cases of Autobahn|Testsuite, each in its strict form: what RFC 6455 and RFC 7692 ask of a server, asked by somebody else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from kingpost import App, WebSocket
from tests.conformance.websocket.suite import RELEASE, SuiteError, prepare
from tests.needs import need
from tests.security.rig import SHELLS, Driver, serving

FUZZER = Path(__file__).with_name("fuzzer.py")
HOW = "python -m tests.conformance.websocket.suite, which fetches it and says what is in the way"

ROOMY = {
    "websocket_message": 2**26,
    "websocket_fragments": 2**17,
    "websocket_ratio": 2**20,
    "websocket_ping": 600_000,
    "websocket_close": 600_000,
}
"""Cases send up to 16 MiB in up to 65,536 pieces, compressed better than a hundred to one, and wait for each other."""

INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
"""They have no right answer: they report what a server does."""


def make() -> App:
    """An App for what the suite asks: each message comes back as it came."""
    app = App()

    @app.websocket("/")
    async def echo(ws: WebSocket[str | bytes, str | bytes]) -> None:
        async for message in ws:
            await ws.send(message)

    return app


@pytest.fixture(scope="module")
def suite() -> Path:
    found, reason = None, ""
    try:
        found = prepare()
    except SuiteError as error:
        reason = str(error)
    return need(found, f"{RELEASE} ({reason})", remedy=HOW)


def judged(
    suite: Path, driver: Driver, sections: str, *, at_once: int, patience: float
) -> dict[str, list[str]]:
    """The suite's judgements of our server, by the numbers of the cases."""
    with serving(make(), driver=driver, limits=ROOMY) as rig:
        url = f"ws://127.0.0.1:{rig.port}/"
        python = suite / "bin" / "python"
        command: list[str | Path] = [python, FUZZER, suite, url, sections, str(at_once)]
        done = subprocess.run(  # noqa: S603 - the suite
            command, capture_output=True, text=True, timeout=patience, check=False
        )
    assert done.returncode == 0, done.stderr
    results: dict[str, list[str]] = json.loads(done.stdout)
    return results


def check(results: dict[str, list[str]], count: int) -> None:
    """Each case passed as the RFC would have it, and closed as it would."""
    wrong = {
        case: judgement
        for case, judgement in results.items()
        if judgement[:2]
        not in (["OK", "OK"], ["INFORMATIONAL", "OK"], ["INFORMATIONAL", "INFORMATIONAL"])
    }
    assert wrong == {}
    assert len(results) == count
    assert {case for case in results if results[case][0] == "INFORMATIONAL"} <= INFORMATIONAL


@pytest.mark.parametrize("driver", SHELLS)
def test_framing_and_closing_are_strictly_right(suite: Path, driver: Driver) -> None:
    check(judged(suite, driver, "1,2,3,4,5,6,7,10", at_once=8, patience=300), 247)


@pytest.mark.long
@pytest.mark.parametrize("driver", SHELLS)
def test_large_and_compressed_messages_are_strictly_right(suite: Path, driver: Driver) -> None:
    check(judged(suite, driver, "9,12,13", at_once=2, patience=3600), 270)
