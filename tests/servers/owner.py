"""The test run that servers are started for: its controlling process, the same for all of its processes."""

from __future__ import annotations

import os

from deploy.servers import process
from deploy.servers.process import Running

VARIABLE = "TINTYPE_TEST_RUN"  # handed down to the processes of pytest-xdist


def become_owner() -> None:
    """Say that this process is the run's first, unless one before it was."""
    pid = os.getpid()
    os.environ.setdefault(VARIABLE, f"{pid} {process.birth(pid)}")


def owner() -> Running:
    """Return the run's first process."""
    pid, born = os.environ[VARIABLE].split()
    return Running(int(pid), born)
