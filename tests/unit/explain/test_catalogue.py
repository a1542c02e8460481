"""Every entry is true: its wrong program ends with its code, its right one does not."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from kingpost import errors
from kingpost.checks.deploy import CHECKS
from kingpost.errors import HTTPError
from kingpost.explain import codes, explain
from kingpost.settings import settings
from tests.unit.explain.programs import outcome

PACKAGE = Path(errors.__file__).parent
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9.]+)*)?")


# They wait for a timeout of the engine: ten seconds and more.
SLOW = {"http.head-timeout", "http.body-timeout"}

# What `kingpost check --deploy` finds is no error, and tests/unit/checks/test_deploy.py has it found.
ERRORS = [code for code in codes() if not code.startswith("deploy.")]
CODES = [
    pytest.param(code, marks=pytest.mark.long) if code in SLOW else pytest.param(code)
    for code in ERRORS
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Programs run in an empty folder, and what they do to the process is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "_LOADED", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    with mock.patch.dict(os.environ):
        os.environ.pop("SECRET_KEY", None)
        yield
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_program_ends_with_the_code(code: str) -> None:
    entry = explain(code)

    assert entry is not None
    assert outcome(entry.wrong, f"<wrong {code}>") == code


@pytest.mark.parametrize("code", ERRORS)
def test_the_right_program_ends_well(code: str) -> None:
    entry = explain(code)

    assert entry is not None
    assert outcome(entry.right, f"<right {code}>") is None


@pytest.mark.parametrize("code", codes())
def test_an_entry_names_itself_and_has_one_sentence(code: str) -> None:
    entry = explain(code)

    assert entry is not None
    assert entry.code == code
    assert CODE.fullmatch(code)
    assert entry.sentence.endswith(".")


def codes_in_source() -> Iterator[str]:
    """Codes that stand in the package as `code="…"` of a call or as `code` of an error class."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.keyword) or node.arg != "code":
                continue
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                yield node.value.value
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, HTTPError):
            yield kind.code


def test_every_code_of_the_package_has_an_entry() -> None:
    assert set(codes_in_source()) - set(codes()) - {""} == set()


ROOT = Path(__file__).parents[3]


def codes_in_rust() -> Iterator[str]:
    """Codes of the crate that reads requests, and those that the extension gives to its own refusals."""
    refusals = ROOT.joinpath("crates/wire/src/refusal.rs").read_text(encoding="utf-8")
    yield from re.findall(r'^ +[A-Z0-9_]+, \d{3}, "([^"]+)", "', refusals, flags=re.MULTILINE)
    for file in ROOT.joinpath("crates/py/src").rglob("*.rs"):
        source = file.read_text(encoding="utf-8")
        yield from re.findall(r'Refusal::new\(\s*\d{3},\s*"([^"]+)"', source)
        yield from re.findall(r'"code":"([^"]+)"', source)


def test_every_refusal_of_the_engine_has_an_entry() -> None:
    refused = set(codes_in_rust())

    assert len(refused) > 60
    assert {"server.queue-full", "internal-server-error"} <= refused
    assert refused - set(codes()) == set()


def test_every_check_of_a_deployment_has_an_entry() -> None:
    assert set(CHECKS) == set(codes()) - set(ERRORS)
