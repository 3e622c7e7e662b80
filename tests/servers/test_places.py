"""Where servers of tests listen."""

from __future__ import annotations

import socket

from deploy.servers.places import free_ports
from sinks.store.ports import HOST, lasting_ports


def test_no_connection_can_take_the_port_of_a_server_that_was_killed() -> None:
    """The system gives each connection's own end a port; none of those is ever a server's."""
    given = set()
    with socket.create_server((HOST, 0)) as server:
        for _ in range(200):
            with socket.create_connection(server.getsockname()) as client:
                given.add(client.getsockname()[1])
                server.accept()[0].close()
    assert len(lasting_ports()) > 1000
    assert not given & set(lasting_ports())


def test_the_ports_of_a_server_differ_and_are_free() -> None:
    """Each can be listened on at once, and is one that lasts."""
    names = [str(number) for number in range(50)]
    found = free_ports(names)
    assert list(found) == names
    assert set(found.values()) <= set(lasting_ports())
    servers = [socket.create_server((HOST, port)) for port in found.values()]
    for one in servers:
        one.close()
    assert len(set(found.values())) == 50
