"""Schemathesis sends what the document allows, and what it does not, and looks at each answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kingpost.openapi.development import install
from kingpost.testing import LiveServer
from tests.unit.openapi.corpus import app_of, atlas, programs

# Numbers such as 17.0 are integers to JSON Schema, and not to us; names in multipart forms may hold no control characters.
OURS = ["--exclude-checks", "positive_data_acceptance"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("atlas", []),
        ("api_docs", [*OURS, "--header", "Authorization: Bearer ada"]),
        ("models_five_kinds", OURS),
    ],
)
def test_it_finds_nothing(name: str, options: list[str], tmp_path: Path) -> None:
    app = atlas(tmp_path / "atlas.db") if name == "atlas" else app_of(programs()[name])
    install(app)
    with LiveServer(app) as server:
        done = subprocess.run(  # noqa: S603 - our own tools
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{server.url}/docs/openapi.json",
                "--checks=all",
                "--max-examples=20",
                "--seed=1",
                "--no-color",
                *options,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
