import os
import socket
import stat
from pathlib import Path

import pytest

from kingpost.server.listen import Address, ListenError, inherit, open_listeners


def opened(address: Address) -> list[str]:
    listeners = open_listeners(address)
    for listener in listeners:
        listener.close()
    return [listener.url for listener in listeners]


def test_port_zero_takes_a_free_port_and_the_url_says_which() -> None:
    (url,) = opened(Address(port=0))

    assert url.startswith("http://127.0.0.1:")
    assert int(url.rpartition(":")[2]) > 0


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_two_hosts_share_the_port_that_the_first_was_given() -> None:
    urls = opened(Address(hosts=("127.0.0.1", "::1"), port=0))

    ports = {url.rpartition(":")[2] for url in urls}
    assert len(urls) == 2
    assert len(ports) == 1
    assert urls[1].startswith("http://[::1]:")


def test_a_host_named_twice_is_opened_once() -> None:
    assert len(opened(Address(hosts=("127.0.0.1", "127.0.0.1"), port=0))) == 1


def test_localhost_stands_for_its_addresses() -> None:
    urls = opened(Address(hosts=("localhost",), port=0))

    assert any(url.startswith("http://127.0.0.1:") for url in urls)


def test_a_port_in_use_is_refused_with_another_one_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"port {port} on 127.0.0.1 is in use.*--port"):
            open_listeners(Address(port=port))


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ListenError, match="ports are 0 to 65535"):
        open_listeners(Address(port=65536))


def test_a_host_that_cannot_be_found_is_refused() -> None:
    with pytest.raises(ListenError, match=r"'no such host' cannot be found"):
        open_listeners(Address(hosts=("no such host",)))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ListenError, match="not an address of this machine"):
        open_listeners(Address(hosts=("192.0.2.1",), port=0))


def test_one_host_that_fails_closes_those_before_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError):
            open_listeners(Address(hosts=("127.0.0.2", "127.0.0.1"), port=port))

        socket.create_server(("127.0.0.2", port)).close()


def test_a_listener_does_not_block_and_is_not_inherited() -> None:
    (listener,) = open_listeners(Address(port=0))

    assert listener.socket.getblocking() is False
    assert listener.socket.get_inheritable() is False
    listener.close()


def test_a_unix_socket_has_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    (listener,) = open_listeners(Address(uds=str(path), uds_mode=0o640))

    assert listener.url == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    listener.close()
    assert not path.exists()


def test_a_unix_socket_that_a_dead_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()

    assert opened(Address(uds=str(path))) == [f"unix:{path}"]


def test_a_unix_socket_of_a_living_server_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    (alive,) = open_listeners(Address(uds=str(path)))

    with pytest.raises(ListenError, match="another server listens"):
        open_listeners(Address(uds=str(path)))

    assert path.exists()
    alive.close()


def test_a_file_that_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")

    with pytest.raises(ListenError, match="is not a socket"):
        open_listeners(Address(uds=str(path)))

    assert path.read_text() == "mine"


def test_closing_leaves_a_unix_socket_that_a_successor_made(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    (first,) = open_listeners(Address(uds=str(path)))
    path.unlink()
    (second,) = open_listeners(Address(uds=str(path)))

    first.close()

    assert path.exists()
    second.close()


def test_closing_twice_leaves_a_unix_socket_that_a_successor_made_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    (first,) = open_listeners(Address(uds=str(path)))
    first.close()
    # Many file systems give it the number of the file that is no more.
    (second,) = open_listeners(Address(uds=str(path)))

    first.close()

    assert path.exists()
    second.close()


def test_an_inherited_descriptor_is_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        fd = os.dup(made.fileno())
        port = made.getsockname()[1]

    listener = inherit(fd)

    assert listener.url == f"http://127.0.0.1:{port}"
    socket.create_connection(("127.0.0.1", port)).close()
    listener.close()


def test_a_descriptor_that_is_not_open_is_refused() -> None:
    with pytest.raises(ListenError, match="descriptor 999 is not an open socket"):
        inherit(999)


def test_a_socket_that_does_not_listen_is_refused_and_stays_open() -> None:
    with socket.socket() as sock:
        with pytest.raises(ListenError, match="does not listen"):
            inherit(sock.fileno())

        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
