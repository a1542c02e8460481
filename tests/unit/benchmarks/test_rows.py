import re
import shutil
import ssl
from pathlib import Path

import pytest
from harness import certificate
from harness.bench import choose_cores
from harness.peers import BY_NAME as PEERS
from harness.places import APPS
from harness.rows import ROWS, Row

from tests.needs import need


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_names_peers_that_there_are(row: Row) -> None:
    assert {entry.peer for entry in row.entries} <= set(PEERS)


@pytest.mark.parametrize("name", PEERS)
def test_every_application_that_a_peer_runs_is_there(name: str) -> None:
    command = " ".join(PEERS[name].command)
    named = {f"{module}_app" for module in re.findall(r"\b(\w+)_app\b", command)}

    assert all((APPS / f"{module}.py").exists() for module in named)


@pytest.mark.parametrize("name", PEERS)
def test_who_serves_by_tls_is_given_a_certificate(name: str) -> None:
    peer = PEERS[name]

    assert ("{certificate}" in peer.command and "{key}" in peer.command) == peer.by_tls


def test_a_certificate_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(shutil.which("openssl"), "openssl", remedy="apt install openssl")
    made, key = tmp_path / "new" / "certificate.pem", tmp_path / "new" / "key.pem"
    monkeypatch.setattr(certificate, "CERTIFICATE", made)
    monkeypatch.setattr(certificate, "KEY", key)
    certificate.make_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    before = made.read_bytes()
    certificate.make_certificate()

    assert made.read_bytes() == before


def test_two_cores_are_chosen_among_those_that_may_be_used() -> None:
    server, generator = choose_cores()

    assert {server, generator} <= set(range(4096))
