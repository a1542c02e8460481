"""The certificate of `kingpost dev --https`."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from kingpost.cli.local_certificate import advice, folder, local_certificate
from kingpost.errors import ConfigurationError
from tests.faults.program import running
from tests.waiting import PATIENCE

DAY = 86_400


def age(file: Path, days: int) -> None:
    past = file.stat().st_mtime - days * DAY
    os.utime(file, (past, past))


def test_it_is_made_once(tmp_path: Path) -> None:
    first = local_certificate(tmp_path / "made")
    text = first.certificate.read_bytes(), first.authority.read_bytes()
    second = local_certificate(tmp_path / "made")

    assert (first.is_new, second.is_new) == (True, False)
    assert text == (second.certificate.read_bytes(), second.authority.read_bytes())
    assert str(first.authority) in advice(first)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have locks on POSIX alone")
def test_programs_that_begin_at_once_have_one_certificate_that_fits(tmp_path: Path) -> None:
    for number in range(5):
        place = tmp_path / str(number)
        made = at_once(place, programs=4)

        assert sorted(made) == ["False"] * 3 + ["True"]
        authority, certificate = (
            x509.load_pem_x509_certificate(place.joinpath(name).read_bytes())
            for name in ("authority.pem", "localhost.pem")
        )
        certificate.verify_directly_issued_by(authority)
        keys = serialization.load_pem_private_key(
            place.joinpath("localhost-key.pem").read_bytes(), None
        )
        assert keys.public_key() == certificate.public_key()


def at_once(place: Path, programs: int) -> list[str]:
    """What each program says of whether it has made the authority."""
    script = (
        "import cryptography.x509, pathlib, sys; from kingpost.cli.local_certificate import local_certificate\n"
        "print('here', flush=True); sys.stdin.read()\n"
        "print(local_certificate(pathlib.Path(sys.argv[1])).is_new)"
    )
    started = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", script, str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(programs)
    ]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "here\n"
    for each in started:
        assert each.stdin is not None
        each.stdin.close()
        each.stdin = None
    return [each.communicate(timeout=PATIENCE)[0].strip() for each in started]


def test_it_is_made_anew_when_it_is_old_and_the_authority_stays(tmp_path: Path) -> None:
    first = local_certificate(tmp_path)
    text, authority = first.certificate.read_bytes(), first.authority.read_bytes()
    age(first.certificate, 61)
    second = local_certificate(tmp_path)

    assert not second.is_new
    assert second.certificate.read_bytes() != text
    assert second.authority.read_bytes() == authority


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_nobody_else_may_read_the_keys(tmp_path: Path) -> None:
    place = tmp_path / "made"
    local_certificate(place)

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for key in ("authority-key.pem", "localhost-key.pem"):
        assert stat.S_IMODE(place.joinpath(key).stat().st_mode) == 0o600
    assert {file.name for file in place.iterdir()} == {
        "authority.pem",
        "authority-key.pem",
        "localhost.pem",
        "localhost-key.pem",
    }


def test_the_authority_vouches_for_this_machine_alone(tmp_path: Path) -> None:
    made = local_certificate(tmp_path)
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    names = authority.extensions.get_extension_for_class(x509.NameConstraints)

    assert names.critical
    assert [str(each.value) for each in names.value.permitted_subtrees or []] == [
        "localhost",
        "127.0.0.0/8",
        "::1/128",
    ]
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)


def test_without_the_package_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        local_certificate(tmp_path / "made")
    assert caught.value.code == "tls.no-cryptography"
    assert "kingpost[encryption]" in caught.value.remedy
    assert not tmp_path.joinpath("made").exists()


def test_it_stays_in_the_users_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert folder() == tmp_path / "kingpost"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert folder() == Path.home() / ".local" / "share" / "kingpost"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert folder() == Path.home() / "Library" / "Application Support" / "kingpost"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert folder() == tmp_path / "kingpost"


@pytest.mark.skipif(os.name != "posix", reason="ends its programs by signals")
def test_kingpost_dev_serves_with_it_and_reloads(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    text = 'from kingpost import App\napp = App()\n@app.get("/")\ndef home() -> str: return "{}"\n'
    app.write_text(text.format("one"))
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}
    with running(
        tmp_path, "dev", "app.py", "--https", "--port", "0", environment=environment
    ) as program:
        program.until_said(r"Kingpost serves app.py on https://127\.0\.0\.1:\d+")
        assert "An authority for this machine's own names was made" in program.said
        client = ssl.create_default_context(
            cafile=str(tmp_path / "data" / "kingpost" / "authority.pem")
        )

        def home() -> str:
            with (
                program.connect() as plain,
                client.wrap_socket(plain, server_hostname="localhost") as connection,
            ):
                connection.sendall(
                    b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
                )
                data = b""
                while piece := connection.recv(65536):
                    data += piece
            return data.decode().partition("\r\n\r\n")[2]

        program.until(lambda: home() == "one")
        app.write_text(text.format("two"))
        program.until(lambda: home() == "two", pause=0.1)
        assert program.said.count("An authority for this machine") == 1
