"""Which tests stay together when the suite runs in several processes, which go first, and one secret for all.

It also ends the servers that the run has started (tests/servers), when its last process is done.

``make test`` hands tests to its processes group by group (pytest-xdist, ``--dist loadgroup``). A group is the
tests that share a module's or the session's fixture, so that it is made once; every other test is alone.

Logs that are made in a test's process have one secret and known keys, so that customers have one order and
equal logs are equal byte for byte.
"""

from __future__ import annotations

import pytest

from deploy.servers import state
from streams.personal import vault
from tests.called import SECRET, key_of
from tests.servers.owner import become_owner, owner

WIDE = ("session", "package", "module", "class")
# The dear ones first: what takes long at the end leaves one process waiting for the other.
FIRST = ("tests/truth/", "tests/laws/", "tests/reference/test_reference_agrees.py")


def pytest_configure() -> None:
    """Give every log one secret, also those that fixtures of modules and sessions make; own the servers."""
    vault.fresh_secret = lambda: SECRET
    vault.fresh_key = key_of
    become_owner()


def _group(item: pytest.Item) -> str | None:
    """Name the group of a test: its dearest shared fixture, and the file of one that is a module's."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    shared = sorted(
        (WIDE.index(one.scope), name)
        for name, found in known.items()
        for one in found[-1:]
        if one.scope in WIDE
        and one.baseid not in ("", "tests/servers")  # pytest's own; one for all processes
    )
    if not shared:
        return None
    width, name = shared[0]
    return name if WIDE[width] == "session" else item.nodeid.split("::")[0]


def _rank(item: pytest.Item) -> int:
    if item.nodeid.startswith(FIRST):
        return 0
    return 1 if item.get_closest_marker("slow") else 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the groups and bring the dear ones to the front, in an order that is the same in every process."""
    for item in items:
        group = _group(item)
        if group is not None and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_rank)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the run's servers, at the end of its first process only: that of a worker comes earlier."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and any(one.owner == owner() for one in state.read().values()):
        from deploy.servers import keeper  # the servers' clients take a second to import

        keeper.stop(owner())
