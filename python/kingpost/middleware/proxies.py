"""`TrustedProxies`: who asks, behind proxies: from `Forwarded` (RFC 7239) or from the `X-Forwarded-…` fields that came before it.

Rule 1: a field is read only where the connection comes from a proxy that is trusted; what anybody else says of himself is not read.
Rule 2: addresses are read from the right, since each proxy adds what it saw at the right end. The first that is no trusted proxy's is the
client; what stands left of it was written by the client, and is not looked at.
Rule 3: what can be read in two ways is refused, not guessed: 400.
Rule 4: one family of fields is read, the one that the proxies write. The other one passes through them as the client wrote it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from kingpost import limits
from kingpost.errors import BadRequest
from kingpost.http.before_body import before_body
from kingpost.http.media_type import is_token, split_outside_quotes, unquote
from kingpost.http.request import Request, Seen
from kingpost.http.response import Response
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

UNIX: Final = "unix"
"""Stands for every program that connects to the server's Unix socket."""

NO_ADDRESS: Final = "what stands for the client is no IP address"
_READ: Final = "proxies"
_HOST_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]")


class Entry(NamedTuple):
    """What one proxy tells.

    Attributes:
        client: who asked it, as written.
        scheme: by which scheme; "" where that is not said.
        host: for which host; "" where that is not said.
    """

    client: str
    scheme: str
    host: str


@before_body
class TrustedProxies:
    """Makes `request.client`, `request.scheme` and `request.host` those of the visitor, as proxies in front tell them.

    It belongs on the App, before everything that asks for one of the three. The check of `App(hosts=…)` and the cross-site check see what it
    found, too. On the App it also tells the server whose connections are many visitors': the limit of connections from one address does
    not hold for the networks.

    Args:
        networks: The addresses of the proxies: `["10.0.0.0/8", "2001:db8::7", "unix"]`, where "unix" is whoever uses the Unix socket.
        fields: What the proxies write: "x-forwarded" for `X-Forwarded-For` and `X-Forwarded-Proto`, or "forwarded" for `Forwarded`.
        host: Whether the host is read, too: from `X-Forwarded-Host`, or `host=` of `Forwarded`. Only for proxies that write it themselves,
            and do not hand over what the client wrote.
        hops: How many proxies there are, at most; needed where `networks` trusts everybody, because nobody knows their addresses.

    Raises:
        ConfigurationError: `proxies.bad-network`, `proxies.everybody`, `proxies.bad-hops`, `proxies.bad-fields`.

    A request whose fields contradict each other or are malformed is answered with 400 (code `proxies.malformed`).

    Example:
        `app.middleware(TrustedProxies(["10.0.0.0/8"]))`
    """

    def __init__(
        self,
        networks: Sequence[str],
        *,
        fields: Literal["x-forwarded", "forwarded"] = "x-forwarded",
        host: bool = False,
        hops: int | None = None,
    ) -> None:
        self._networks, self._trusts_unix = checked_networks(networks)
        if hops is not None and hops < 1:
            raise refused("proxies.bad-hops", f"hops={hops!r} counts no proxies", "write hops=1")
        if hops is None and any(network.prefixlen == 0 for network in self._networks):
            raise refused(
                "proxies.everybody",
                "networks trusts every address, so every visitor could say who he is",
                "name the networks of the proxies, or say how many proxies there are: hops=1",
            )
        if fields not in ("x-forwarded", "forwarded"):
            raise refused(
                "proxies.bad-fields",
                f"fields={fields!r} are none",
                'write fields="x-forwarded" or fields="forwarded"',
            )
        self._fields = fields
        self._host = host
        self._hops = limits.FORWARDED_ELEMENTS if hops is None else hops
        self._known: dict[str, bool] = {}

    @property
    def __trusted_peers__(self) -> list[tuple[str, int]]:
        """The networks, as the server's limit of connections from one address leaves them out."""
        return [(str(network.network_address), network.prefixlen) for network in self._networks]

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        self.__before_guard__(request)
        return await call_next(request)

    def __before_guard__(self, request: Request) -> None:
        """Read the fields, once; the App asks for it before it checks where a request comes from.

        Raises:
            BadRequest: `proxies.malformed`.
        """
        if request.cache.get(_READ):
            return
        request.cache[_READ] = True
        peer = request.client
        if not self._is_trusted(peer):
            return
        entries = (
            forwarded(request) if self._fields == "forwarded" else x_forwarded(request, self._host)
        )
        if not entries:
            return
        client, entry = self._walk(peer, entries)
        scheme = checked_scheme(entry.scheme) if entry.scheme else request.scheme
        host = checked_host(entry.host) if self._host and entry.host else request.host
        request.__see__(Seen(client, scheme, host))

    def _walk(self, peer: str | None, entries: list[Entry]) -> tuple[str | None, Entry]:
        """The client's address, and the entry of the proxy that it asked."""
        client, told = peer, entries[-1]
        for entry in reversed(entries[-self._hops :]):
            client, told = address_of(entry.client), entry
            if client is None or not self._is_trusted(client):
                break
        return client, told

    def _is_trusted(self, address: str | None) -> bool:
        if address is None:
            return self._trusts_unix
        known = self._known.get(address)
        if known is None:
            parsed = unmapped(ipaddress.ip_address(address))
            known = any(parsed in network for network in self._networks)
            if len(self._known) >= 1_000:
                self._known.clear()
            self._known[address] = known
        return known


def checked_networks(networks: Sequence[str]) -> tuple[tuple[Network, ...], bool]:
    if isinstance(networks, str) or not networks:
        raise bad_network(networks, 'write networks=["10.0.0.0/8"], or ["unix"] for a Unix socket')
    found: list[Network] = []
    for network in networks:
        if network == UNIX:
            continue
        try:
            found.append(ipaddress.ip_network(network))
        except ValueError as error:
            raise bad_network(network, f"{error}; write such as 10.0.0.0/8 or 10.1.2.3") from None
    return tuple(found), UNIX in networks


def bad_network(network: object, remedy: str) -> Exception:
    return refused("proxies.bad-network", f"{network!r} names no addresses of proxies", remedy)


# -- what the fields say


def x_forwarded(request: Request, with_host: bool) -> list[Entry]:  # noqa: FBT001 - one caller
    """The entries of `X-Forwarded-For`, with what the other fields say beside them, in the order written."""
    clients = items(request, "x-forwarded-for")
    schemes = items(request, "x-forwarded-proto")
    hosts = items(request, "x-forwarded-host") if with_host else []
    if not clients:
        if not schemes and not hosts:
            return []
        # The proxy itself asks, as for a look at its health, or does not tell for whom.
        clients = ["unknown"]
    beside = zip(
        clients,
        aligned(schemes, len(clients), "X-Forwarded-Proto"),
        aligned(hosts, len(clients), "X-Forwarded-Host"),
        strict=True,
    )
    return [Entry(*each) for each in beside]


def aligned(values: list[str], count: int, field: str) -> list[str]:
    """One value for each address: the outermost proxy says one for all, or every proxy adds its own."""
    if not values:
        return [""] * count
    if len(values) == 1:
        return values * count
    if len(values) == count:
        return values
    raise malformed(f"{field} has {len(values)} values, and X-Forwarded-For has {count}")


def items(request: Request, field: str) -> list[str]:
    """The items of a list that may be spread over several fields (RFC 9110 section 5.3)."""
    lines = request.headers.get_all(field)
    found = [item.strip(" \t") for line in lines for item in line.split(",")]
    if len(found) > limits.FORWARDED_ELEMENTS or (lines and not all(found)):
        raise malformed(f"{field} is no list of at most {limits.FORWARDED_ELEMENTS} values")
    return found


def forwarded(request: Request) -> list[Entry]:
    """The elements of `Forwarded`, in the order written (RFC 7239 section 4)."""
    lines = request.headers.get_all("forwarded")
    elements = [element for line in lines for element in split_outside_quotes(line, ",")]
    if len(elements) > limits.FORWARDED_ELEMENTS:
        raise malformed(f"Forwarded has more than {limits.FORWARDED_ELEMENTS} elements")
    return [forwarded_element(element) for element in elements]


def forwarded_element(element: str) -> Entry:
    said: dict[str, str] = {}
    for pair in split_outside_quotes(element.strip(" \t"), ";"):
        name, equals, value = pair.partition("=")
        name = name.lower()
        is_quoted = len(value) >= 2 and value[0] == value[-1] == '"'
        # "Each parameter MUST NOT occur more than once per field-value" element; no blanks around "=".
        if not equals or not is_token(name) or not (is_quoted or is_token(value)) or name in said:
            raise malformed("an element of Forwarded is malformed")
        said[name] = unquote(value)
    return Entry(said.get("for", "unknown"), said.get("proto", ""), said.get("host", ""))


@lru_cache(maxsize=1_024)
def address_of(node: str) -> str | None:
    """The address in `10.0.0.1`, `10.0.0.1:443`, `2001:db8::1` or `[2001:db8::1]:443`; None for one that a proxy hides (RFC 7239 section 6)."""
    if node.lower() == "unknown" or (node.startswith("_") and len(node) > 1):
        return None
    bare = node
    if node.startswith("["):
        bare, _, port = node[1:].partition("]")
        if port and not is_port(port):
            raise malformed("an address has no port like that")
    elif node.count(":") == 1:
        bare, _, port = node.partition(":")
        if not is_port(":" + port):
            raise malformed("an address has no port like that")
    if "%" in bare:
        # A zone means something on one machine only.
        raise malformed(NO_ADDRESS)
    try:
        return str(unmapped(ipaddress.ip_address(bare)))
    except ValueError:
        raise malformed(NO_ADDRESS) from None


def is_port(text: str) -> bool:
    # RFC 7239 section 6.3: digits, or an obfuscated one.
    port = text.removeprefix(":")
    return text.startswith(":") and (
        (port.isascii() and port.isdigit() and len(port) <= 5)
        or (port.startswith("_") and is_token(port))
    )


def unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 socket sees as `::ffff:10.0.0.1`."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def checked_scheme(scheme: str) -> str:
    lower = scheme.lower()
    if lower in ("http", "ws"):
        return "http"
    if lower in ("https", "wss"):
        return "https"
    raise malformed("the forwarded scheme is neither http nor https")


def checked_host(host: str) -> str:
    if len(host) > 255 or not _HOST_CHARACTERS.issuperset(host):
        raise malformed("the forwarded host is none")
    return host


def malformed(sentence: str) -> BadRequest:
    return BadRequest(sentence, code="proxies.malformed")
