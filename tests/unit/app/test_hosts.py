"""Which hosts are ours."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost.app.hosts import check_hosts_option, is_our_host
from kingpost.errors import ConfigurationError


@pytest.mark.parametrize(
    ("asked", "hosts", "is_ours"),
    [
        ("example.org", ("example.org",), True),
        ("EXAMPLE.org:8000", ("example.org",), True),
        ("example.org:8000", ("example.org:8000",), True),
        ("example.org:9000", ("example.org:8000",), False),
        ("evil-example.org", ("example.org",), False),
        ("a.example.org", ("*.example.org",), True),
        ("a.b.example.org:1", ("*.example.org",), True),
        ("example.org", ("*.example.org",), False),
        (".example.org", ("*.example.org",), False),
        ("evilexample.org", ("*.example.org",), False),
        ("[::1]:8000", ("[::1]",), True),
        ("[::1]", ("[::1]",), True),
        ("", ("example.org",), False),
    ],
)
def test_hosts_are_compared_as_they_stand(asked: str, hosts: tuple[str, ...], is_ours: bool) -> None:  # fmt: skip
    assert is_our_host(asked, hosts) is is_ours


@pytest.mark.parametrize("hosts", ["example.org", ["https://a.org"], ["a.org/x"], ["*"], [""]], ids=str)  # fmt: skip
def test_what_is_no_host_is_refused_at_the_start(hosts: Any) -> None:
    with pytest.raises(ConfigurationError) as told:
        check_hosts_option(hosts)

    assert told.value.code == "app.bad-host"
