"""Who may say by the PROXY protocol whom it speaks for."""

from __future__ import annotations

from collections.abc import Sequence

from kingpost.errors import ConfigurationError

UNIX = "unix"


def proxies_of(texts: Sequence[str]) -> tuple[list[tuple[str, int]], bool]:
    """The networks, as address and length of the prefix, and whether whoever uses the Unix socket is one too.

    Raises:
        ConfigurationError: One is no address, no network and not "unix" (code `proxies.protocol`).
    """
    if not texts:
        return [], False
    import ipaddress

    found: list[tuple[str, int]] = []
    for text in texts:
        if text == UNIX:
            continue
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            raise ConfigurationError(
                f"--proxy-protocol {text!r} names no proxy: {error}",
                code="proxies.protocol",
                remedy='write an address or a network, such as 10.0.0.7 or 10.0.0.0/8, or "unix" for a Unix socket',
            ) from None
        found.append((str(network.network_address), network.prefixlen))
    return found, UNIX in texts


def refuse_without_driver(texts: Sequence[str]) -> None:
    """Where asyncio has the sockets there is nobody to read what proxies say first.

    Raises:
        ConfigurationError: Proxies are named (code `proxies.protocol`).
    """
    if texts:
        raise ConfigurationError(
            "--proxy-protocol needs the native driver, which is not used here",
            code="proxies.protocol",
            remedy="serve on Linux or macOS without KINGPOST_DRIVER=asyncio, or have the proxy send X-Forwarded-For",
        )
