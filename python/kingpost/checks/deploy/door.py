"""Who can connect, under which name, and who speaks for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kingpost.checks.deploy.site import Setup, Site, Told, warning
from kingpost.middleware import AccessLog, HttpsRedirect, RateLimit, TrustedProxies

NARROWEST_V4: Final = 8
NARROWEST_V6: Final = 16
OTHERS_WRITE: Final = 0o002


def hosts(site: Site) -> Iterator[Told]:
    """That the App knows its hosts, and that one of them is not this machine."""
    names = site.app.__hosts__
    if not names:
        yield warning(
            "the app answers whatever host a request names",
            'say which are its own: App(hosts=["example.org"])',
        )
    elif all(name in ("localhost", "::1") or name.startswith("127.") for name in names):
        yield warning(
            f"hosts={list(names)!r} are names of this machine only, so every visitor is refused",
            "add the name that visitors type",
        )


def tls(site: Setup) -> Iterator[Told]:
    """That what everybody can reach is encrypted."""
    proxy = site.outermost(TrustedProxies)
    # One that is trusted by its address has come by the network, and may have come encrypted.
    is_from_a_proxy = proxy is not None and proxy.__trusted_peers__
    if site.serving.is_public and not site.serving.tls and not is_from_a_proxy:
        yield warning(
            f"it listens on {', '.join(site.serving.hosts)} without TLS: passwords and cookies can be read on their way",
            "say --tls-cert and --tls-key, or listen on this machine only, behind a proxy that encrypts",
        )


def proxies(site: Setup) -> Iterator[Told]:
    """That the proxy in front is believed."""
    if site.serving.is_behind_a_proxy and site.outermost(TrustedProxies) is None:
        peer = "unix" if site.serving.uds is not None else "127.0.0.1"
        yield warning(
            "only a proxy of this machine can reach it, and it is not believed: every visitor has the proxy's address, and no request is https",
            f'add middleware: TrustedProxies(["{peer}"])'
            if isinstance(site, Site)
            else f"say --trust-proxy {peer}",
        )


def proxies_wide(site: Setup) -> Iterator[Told]:
    """That not half of the world may say who visits."""
    for each in site.everywhere(TrustedProxies):
        for address, length in each.__trusted_peers__:
            if length < (NARROWEST_V6 if ":" in address else NARROWEST_V4):
                yield warning(
                    f"{address}/{length} is believed as a proxy: whoever has such an address says who visits",
                    "name the networks that the proxies are in",
                )


def proxies_order(site: Site) -> Iterator[Told]:
    """That what needs the visitor's address or scheme runs where they are known."""
    kinds = (AccessLog, RateLimit, HttpsRedirect)
    early: list[str] = []
    for each in site.middleware:
        if isinstance(each, TrustedProxies):
            if early:
                yield warning(
                    f"{', '.join(early)} stand{'s' * (len(early) == 1)} before TrustedProxies, and so read{'s' * (len(early) == 1)} the proxy's address and scheme",
                    "list TrustedProxies first",
                )
            return
        if isinstance(each, kinds):
            early.append(type(each).__name__)


def https_redirect(site: Site) -> Iterator[Told]:
    """That who comes over http is sent to https."""
    if site.outermost(HttpsRedirect) is None:
        yield warning(
            "who comes over http stays there",
            "add middleware: HttpsRedirect(); silence this where the proxy does it",
        )


def uds_mode(site: Setup) -> Iterator[Told]:
    """That not every user of the machine may connect to the socket."""
    if site.serving.uds is not None and site.serving.uds_mode & OTHERS_WRITE:
        yield warning(
            f"--uds-mode {site.serving.uds_mode:o} lets every user of this machine connect, past the proxy",
            "say --uds-mode 660, and put the proxy into the socket's group",
        )


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "tls": tls,
    "proxies": proxies,
    "proxies-wide": proxies_wide,
    "uds-mode": uds_mode,
}
OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "hosts": hosts,
    "proxies-order": proxies_order,
    "https-redirect": https_redirect,
}
