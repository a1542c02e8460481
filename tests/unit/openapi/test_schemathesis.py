"""Schemathesis sends what the document allows, and what it does not, and looks at each answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kingpost.openapi.development import install
from kingpost.testing import LiveServer
from tests.unit.openapi.corpus import app_of, atlas, programs

SETTINGS = """
[checks]
negative_data_rejection.expected-statuses = [
    # As ever, and 414: what breaks a rule by its length may be too long for the server as well.
    "400", "401", "403", "404", "405", "406", "409", "414", "415", "422", "428", "429", "5xx",
]
"""
# Numbers such as 17.0 are integers to JSON Schema, and not to us; names in multipart forms may hold no control characters.
OURS = ["--exclude-checks", "positive_data_acceptance"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("atlas", ["--max-examples=100"]),
        ("api_docs", [*OURS, "--max-examples=20", "--header", "Authorization: Bearer ada"]),
        ("models_five_kinds", [*OURS, "--max-examples=20"]),
    ],
)
def test_it_finds_nothing(name: str, options: list[str], tmp_path: Path) -> None:
    app = atlas(tmp_path / "atlas.db") if name == "atlas" else app_of(programs()[name])
    install(app)
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    with LiveServer(app) as server:
        done = subprocess.run(  # noqa: S603 - our own tools
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{server.url}/docs/openapi.json",
                "--checks=all",
                "--seed=2",
                "--no-color",
                *options,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
