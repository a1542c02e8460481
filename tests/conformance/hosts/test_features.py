"""The table of `kingpost hosts` says what is so."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from kingpost.cli.commands import kingpost
from tests.conformance.hosts.features import FEATURES, HOSTS, TABLE, Feature, Host

KNOWN = {each["feature"]: each for each in json.loads(TABLE.read_text("utf-8"))}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)
def test_what_the_table_says_is_so(feature: Feature, host: Host) -> None:
    if feature.works(host):
        assert KNOWN[feature.name][host] == "works"
        assert host not in feature.otherwise
        return
    instead = feature.otherwise[host]
    assert KNOWN[feature.name][host] == instead.words
    assert instead.is_so()


def test_the_table_has_these_features_in_this_order() -> None:
    assert list(KNOWN) == [each.name for each in FEATURES]


def test_what_does_not_work_is_named() -> None:
    said = [each[host] for each in KNOWN.values() for host in HOSTS]

    assert all(text.partition(":")[0] in ("works", "degrades", "refused") for text in said)
    assert all(each["native"] == "works" for each in KNOWN.values())


def test_the_command_prints_it() -> None:
    done = CliRunner().invoke(kingpost, ["hosts"])

    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0].split() == ["native", "ASGI", "WSGI"]
    for name, each in KNOWN.items():
        [line] = [line for line in lines if line.startswith(f"{name} ")]
        assert line.split()[-3:] == [each[host].partition(":")[0] for host in HOSTS]
        for host in HOSTS:
            if ": " in each[host]:
                assert each[host].partition(": ")[2] in done.output
