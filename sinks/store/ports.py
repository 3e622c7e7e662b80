"""Ports for servers that begin again where they were."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import SystemRandom

HOST = "127.0.0.1"
_LOWEST = 10_000


@cache
def lasting_ports() -> list[int]:
    """Return the ports that the system gives to no connection's own end by itself: a server that has ended
    would find such a one taken when it begins again, by a client of its own that asks for it."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return [*range(_LOWEST, first), *range(last + 1, 1 << 16)]


def listening() -> socket.socket:
    """Return a socket that listens on one of them."""
    while True:
        with suppress(OSError):
            return socket.create_server((HOST, SystemRandom().choice(lasting_ports())))
