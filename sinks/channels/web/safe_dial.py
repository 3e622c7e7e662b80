"""Which addresses may be connected to: a URL of a shop's settings must not reach what only this machine can.

What counts is the address that a socket connects to, after DNS and every way of writing a number, so it is
checked there: `GuardedResolver` checks what a name resolves to and hands on exactly these addresses (a second
lookup, which could answer otherwise, does not happen), `Guard.made_for` checks once more where the socket is
made, which is also what an address in place of a name meets. TLS checks the certificate against the name.

Python's own tables are not enough: ``is_private`` misses 100.100.100.200 (metadata of Alibaba Cloud),
``is_global`` passes 64:ff9b::/96, 2002:7f00:1:: (6to4 of loopback), 192.0.0.192 (metadata of Oracle Cloud)
and multicast.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LookUp = Callable[[str, int, int], Awaitable[list[str]]]

# IANA IPv4 Special-Purpose Address Registry, without the anycast blocks of AS112 and AMT, which are public
# services; IPv4 multicast and reserved space are registries of their own.
REFUSED_V4 = {
    "0.0.0.0/8": "this network (RFC 791)",
    "10.0.0.0/8": "private (RFC 1918)",
    "100.64.0.0/10": "shared (RFC 6598); metadata of Alibaba Cloud",
    "127.0.0.0/8": "loopback (RFC 1122)",
    "168.63.129.16/32": "services of Azure to its own machines",
    "169.254.0.0/16": "link local (RFC 3927); metadata of most clouds",
    "172.16.0.0/12": "private (RFC 1918)",
    "192.0.0.0/24": "protocol assignments (RFC 6890); metadata of Oracle Cloud",
    "192.0.2.0/24": "documentation (RFC 5737)",
    "192.88.99.0/24": "6to4 relays, deprecated (RFC 7526)",
    "192.168.0.0/16": "private (RFC 1918)",
    "198.18.0.0/15": "benchmarks (RFC 2544)",
    "198.51.100.0/24": "documentation (RFC 5737)",
    "203.0.113.0/24": "documentation (RFC 5737)",
    "224.0.0.0/4": "multicast (RFC 5771)",
    "240.0.0.0/4": "reserved and broadcast (RFC 1112, RFC 8190)",
}
# Only 2000::/3 is assigned as global unicast (IANA IPv6 Address Space): what lies outside of it is refused,
# such as loopback, ::/96 and 64:ff9b::/96 which carry IPv4, fc00::/7, fe80::/10, ff00::/8. Inside of it: IANA
# IPv6 Special-Purpose Address Registry, without AS112.
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
REFUSED_V6 = {
    "2001::/23": "protocol assignments (RFC 2928): Teredo, ORCHID, benchmarks",
    "2001:db8::/32": "documentation (RFC 3849)",
    "2002::/16": "6to4, which carries IPv4 (RFC 3056)",
    "3fff::/20": "documentation (RFC 9637)",
}
_TABLE: list[tuple[Network, str]] = [
    (ipaddress.ip_network(text), why) for text, why in {**REFUSED_V4, **REFUSED_V6}.items()
]


class AddressRefused(Exception):
    """An address that must not be connected to; the text says which, and what to do.

    No OSError, so that nobody goes on to the next address as if a host were down.
    """


def why_refused(address: Address) -> str | None:
    """Return what kind of address it is where it must not be connected to, else None.

    >>> why_refused(ipaddress.ip_address("100.100.100.200"))
    'shared (RFC 6598); metadata of Alibaba Cloud'
    >>> why_refused(ipaddress.ip_address("::ffff:127.0.0.1"))
    'loopback (RFC 1122)'
    """
    address = _plain(address)
    for network, why in _TABLE:
        if address in network:
            return why
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_V6:
        return "outside of global unicast (2000::/3)"
    return None


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def same_host(host: str) -> str:
    """Return a host's name in one form.

    >>> same_host("Hooks.Example.")
    'hooks.example'
    """
    return host.rstrip(".").casefold()


class Guard:
    """Says which addresses may be connected to. ``allow``: hosts, addresses and networks that may be although
    they are in the table.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        for one in allow:
            try:
                self._networks.append(ipaddress.ip_network(one, strict=False))
            except ValueError:
                self._hosts.add(same_host(one))

    def check(self, host: str, text: str) -> None:
        """Raise AddressRefused where ``host``, at this address, must not be connected to."""
        if same_host(host) in self._hosts:
            return
        self._check_address(host, text)

    def _check_address(self, host: str, text: str) -> None:
        address = _plain(ipaddress.ip_address(text))
        why = why_refused(address)
        if why is None or any(address in network for network in self._networks):
            return
        at = f"{host} is at {address}" if host != text else str(address)
        raise AddressRefused(f"{at}, which is {why}: name it under 'allow' if it is meant")

    def made_for(self, host: str) -> Callable[[Any], socket.socket]:
        """Return what makes the sockets of connections to ``host``, for aiohttp's ``socket_factory``."""

        def socket_for(info: Any) -> socket.socket:
            family, kind, protocol, _, place = info
            self.check(host, place[0])
            return socket.socket(family, kind, protocol)

        return socket_for


async def look_up(host: str, port: int, family: int) -> list[str]:
    """Return the addresses of a name as this machine resolves it. Raises OSError."""
    import asyncio

    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
    # a dict, since an address comes once for each protocol, and in the order of preference
    return list(dict.fromkeys(str(place[0]) for _, _, _, _, place in found))


class GuardedResolver:
    """Resolves names for aiohttp, all of whose addresses must pass: an answer of one public and one private
    address is a trick, or a mistake.
    """

    def __init__(self, guard: Guard, find: LookUp = look_up) -> None:
        self._guard = guard
        self._find = find

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[dict[str, Any]]:
        """Return the addresses as aiohttp wants them. Raises OSError, AddressRefused."""
        addresses = await self._find(host, port, family)
        for address in addresses:
            self._guard.check(host, address)
        return [
            {
                "hostname": host, "host": address, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
            }
            for address in addresses
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is held."""
