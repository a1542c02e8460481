"""The documents of all Apps that there are: valid, by the specification and by JSON Schema, and the same from run to run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from kingpost.openapi import document
from kingpost.openapi.writing import to_yaml
from tests.unit.openapi.corpus import ROOT, app_of, atlas, programs


@pytest.fixture(params=[*programs(), "atlas"], scope="module")
def described(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "atlas":
        return document(atlas(tmp_path_factory.mktemp("atlas") / "atlas.db"))
    return document(app_of(programs()[request.param]))


def test_it_is_valid_by_the_specification(described: dict[str, Any]) -> None:
    assert [each.message for each in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_every_schema_is_json_schema(described: dict[str, Any]) -> None:
    for schema in schemas_in(described):
        Draft202012Validator.check_schema(schema)


def test_operation_ids_are_there_once(described: dict[str, Any]) -> None:
    ids = [each["operationId"] for item in described["paths"].values() for each in item.values()]

    assert len(set(ids)) == len(ids)


def test_references_lead_somewhere_and_nothing_is_left_over(described: dict[str, Any]) -> None:
    components = described.get("components", {})
    there = {f"#/components/{kind}/{name}" for kind, parts in components.items() for name in parts}

    named = {
        f"#/components/securitySchemes/{name}"
        for item in described["paths"].values()
        for each in item.values()
        for way in each.get("security", [])
        for name in way
    }
    assert set(references_in(described)) | named == there


def test_yaml_says_what_json_says(described: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(described)) == described


@pytest.mark.parametrize("name", ["api_docs", "models_five_kinds", "output_filter", "parameters"])
def test_it_is_the_same_byte_for_byte_in_another_process(name: str) -> None:
    printed = {printed_by(programs()[name], seed) for seed in ("1", "2", "3")}

    assert len(printed) == 1


def printed_by(file: Path, seed: str) -> bytes:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "kingpost.cli", "openapi", str(file)],
        env=os.environ | {"PYTHONHASHSEED": seed},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return done.stdout


def schemas_in(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        for name, each in part.items():
            if name in ("schema", "x-itemSchema"):
                yield each
            elif name == "schemas":
                yield from each.values()
            else:
                yield from schemas_in(each)
    elif isinstance(part, list):
        for each in part:
            yield from schemas_in(each)


def references_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, each in part.items():
            if name == "$ref" or (name == "mapping" and isinstance(each, dict)):
                yield from [each] if isinstance(each, str) else each.values()
            else:
                yield from references_in(each)
    elif isinstance(part, list):
        for each in part:
            yield from references_in(each)
