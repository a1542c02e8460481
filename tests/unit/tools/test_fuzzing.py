"""`./dev test --long` runs the fuzz targets, each with its words, or says how to get what runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import fuzzing
from tools.console import ROOT


def test_without_cargo_fuzz_the_commands_that_get_it_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzzing, "ask", lambda *command: None)

    fuzzing.run_all()

    said = capsys.readouterr().out
    assert "fuzz targets: left out" in said
    assert "rustup toolchain install nightly && cargo +nightly install cargo-fuzz" in said


def test_each_target_has_a_dictionary_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: dict[str, str] = {}
    names = [path.stem for path in (ROOT / "fuzz/fuzz_targets").glob("*.rs")]

    def run(*command: object) -> None:
        (option,) = (text for text in map(str, command) if text.startswith("-dict="))
        ran[str(command[6])] = option.removeprefix("-dict=")

    monkeypatch.setattr(fuzzing, "ask", lambda *command: "\n".join(names))
    monkeypatch.setattr(fuzzing, "run", run)

    fuzzing.run_all()

    assert set(ran) == set(names)
    assert all(Path(file).is_file() for file in ran.values())
    own = {name: Path(file).name for name, file in ran.items() if "http1" not in file}
    assert own == {"multipart": "multipart.dict", "proxy": "proxy.dict"}
