import re

import pytest
from harness.bench import choose_cores
from harness.peers import BY_NAME as PEERS
from harness.places import APPS
from harness.rows import ROWS, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_names_peers_that_there_are(row: Row) -> None:
    assert {entry.peer for entry in row.entries} <= set(PEERS)


@pytest.mark.parametrize("name", PEERS)
def test_every_application_that_a_peer_runs_is_there(name: str) -> None:
    command = " ".join(PEERS[name].command)
    named = {f"{module}_app" for module in re.findall(r"\b(\w+)_app\b", command)}

    assert all((APPS / f"{module}.py").exists() for module in named)


def test_two_cores_are_chosen_among_those_that_may_be_used() -> None:
    server, generator = choose_cores()

    assert {server, generator} <= set(range(4096))
