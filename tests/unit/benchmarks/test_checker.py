import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from harness import checker
from harness.checker import WrongAnswerError, check, fetch
from harness.exchange import CLOSING, JSON, PLAINTEXT

from tests.certificates import Authority

TEXT = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\n"
    b"Hello, world!"
)
MESSAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    b'5\r\n{"mes\r\n16;x=y\r\nsage":"Hello, world!"}\r\n0\r\n\r\n'
)


@contextmanager
def answering(
    answer: bytes, close: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """The port of a server that says `answer` to whatever the first connection sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def sealed(connection: socket.socket) -> socket.socket:
            return connection if tls is None else tls.wrap_socket(connection, server_side=True)

        def serve() -> None:
            connection, _ = listener.accept()
            with suppress(OSError), connection, sealed(connection) as connection:
                connection.recv(65536)
                connection.sendall(answer)
                if not close:
                    done.wait(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(5)


def test_a_right_answer_passes() -> None:
    with answering(TEXT) as port:
        assert check(port, PLAINTEXT, 1)["content-length"] == "13"


def test_answers_of_a_batch_that_come_in_order_pass() -> None:
    with answering(TEXT + MESSAGE + TEXT + MESSAGE) as port:
        check(port, PLAINTEXT, 4)


def test_answers_of_a_batch_out_of_order_are_refused() -> None:
    with answering(TEXT + TEXT + MESSAGE + MESSAGE) as port, pytest.raises(WrongAnswerError):
        check(port, PLAINTEXT, 4)


def test_a_batch_cut_short_is_refused() -> None:
    with answering(TEXT + MESSAGE, close=True) as port, pytest.raises(WrongAnswerError):
        check(port, PLAINTEXT, 3)


@pytest.mark.parametrize(
    "answer",
    [
        TEXT.replace(b"200 OK", b"404 Not Found"),
        TEXT.replace(b"world", b"wrold"),
        TEXT.replace(b"plain", b"html"),
        TEXT.replace(b"Content-Length: 13\r\n", b""),
        TEXT.replace(b"HTTP/1.1", b"HTTP/9"),
    ],
)
def test_a_wrong_answer_is_refused(answer: bytes) -> None:
    with answering(answer, close=True) as port, pytest.raises(WrongAnswerError):
        check(port, PLAINTEXT, 1)


def test_json_may_name_its_charset() -> None:
    named = MESSAGE.replace(b"application/json", b"application/json; charset=utf-8")
    with answering(named) as port:
        check(port, JSON, 1)


def test_a_connection_that_stays_open_after_close_is_refused() -> None:
    with answering(TEXT + b"x") as port, pytest.raises(WrongAnswerError):
        check(port, CLOSING, 1)


def test_a_connection_that_closes_after_close_passes() -> None:
    with answering(TEXT, close=True) as port:
        check(port, CLOSING, 1)


def test_fetch_gives_the_body() -> None:
    with answering(MESSAGE, close=True) as port:
        assert fetch(port, "/json") == JSON.answer


def sealing(answer: bytes, folder: Path, version: ssl.TLSVersion) -> AbstractContextManager[int]:
    """As `answering`, by TLS in this version at most, with the bench's certificate."""
    signed = Authority(folder).sign("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    context.load_cert_chain(signed.certificate, signed.key)
    return answering(answer, close=True, tls=context)


def test_an_answer_by_tls_is_read_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "CERTIFICATE", tmp_path / "authority.pem")
    with sealing(TEXT, tmp_path, ssl.TLSVersion.TLSv1_3) as port:
        check(port, PLAINTEXT, 1, by_tls=True)
    with sealing(MESSAGE, tmp_path, ssl.TLSVersion.TLSv1_3) as port:
        assert fetch(port, "/json", by_tls=True) == JSON.answer


def test_a_server_of_an_older_tls_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "CERTIFICATE", tmp_path / "authority.pem")
    with (
        sealing(TEXT, tmp_path, ssl.TLSVersion.TLSv1_2) as port,
        pytest.raises(ssl.SSLError, match="version"),
    ):
        check(port, PLAINTEXT, 1, by_tls=True)


def test_a_request_with_a_body_names_its_length() -> None:
    request = replace(PLAINTEXT, method="POST", body=b"{}").render("h")

    assert request.endswith(b"Content-Length: 2\r\n\r\n{}")
