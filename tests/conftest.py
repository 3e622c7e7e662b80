"""Which tests stay together when the suite runs in several processes, which go first, and one secret for all.

It also ends the servers that the run has started (tests/servers), when its last process is done.

``make test`` hands tests to its processes group by group (pytest-xdist, ``--dist loadgroup``). A group is the
tests that share a module's or the session's fixture, so that it is made once; every other test is alone.

Logs that are made in a test's process have one secret and known keys, so that customers have one order and
equal logs are equal byte for byte.
"""

from __future__ import annotations

import ctypes
import os

import pytest

from deploy.servers import state
from streams.personal import vault
from tests.called import SECRET, key_of
from tests.servers.owner import become_owner, owner

WIDE = ("session", "package", "module", "class")
# Where fixtures need no group: pytest's own, servers that all processes share, a store that is soon made.
CHEAP = ("", "tests/servers", "tests/shared", "tests/app")
# The dear ones first, in this order: what takes long at the end leaves one process waiting for the others.
# Some compute, some wait for servers most of their time: they take turns, so that cores are not idle.
COMPUTE = ("tests/truth/", "tests/laws/", "tests/reference/test_reference_agrees.py", "tests/shared/")
WAIT = (
    "tests/servers/test_faults", "tests/servers/test_audit.py", "tests/servers/test_worker.py",
    "tests/servers/test_shared_snapshots.py", "tests/servers/test_migrate.py", "tests/servers/",
)  # fmt: skip


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
        and one.baseid not in CHEAP
    )
    if not shared:
        return None
    width, name = shared[0]
    return name if WIDE[width] == "session" else item.nodeid.split("::")[0]


def _in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the dear ones in turns, then those marked slow, then the others."""
    kinds = [
        list(dict.fromkeys(one for start in starts for one in items if one.nodeid.startswith(start)))
        for starts in (COMPUTE, WAIT)
    ]
    turns = [(at / len(kind), one) for kind in kinds for at, one in enumerate(kind)]
    dear = [one for _, one in sorted(turns, key=lambda turn: turn[0])]
    first = set(dear)
    others = [one for one in items if one not in first]
    return dear + sorted(others, key=lambda one: one.get_closest_marker("slow") is None)


def _lacks_openmp() -> pytest.MarkDecorator | None:
    """Return why tests of recommendations cannot run here; with CI=true they fail instead."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        if os.environ.get("CI") != "true":
            return pytest.mark.skip(reason="implicit needs libgomp.so.1: apt-get install libgomp1")
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the groups and bring the dear ones to the front, in an order that is the same in every process."""
    absent = _lacks_openmp()
    for item in items:
        if absent and "test_recommendation" in item.nodeid:
            item.add_marker(absent)
        group = _group(item)
        if group is not None and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
    items[:] = _in_order(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """See to it that pytest-xdist has heard of the groups, which it hides in the names of tests."""
    grouped = (one for one in session.items if one.get_closest_marker("xdist_group") is not None)
    if session.config.getoption("loadgroup", False) and not all("@" in one.nodeid for one in grouped):
        raise pytest.UsageError("groups would be torn apart under this pytest: requirements/dev.in says why")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the run's servers, at the end of its first process only: that of a worker comes earlier."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and any(one.owner == owner() for one in state.read().values()):
        from deploy.servers import keeper  # the servers' clients take a second to import

        keeper.stop(owner())
