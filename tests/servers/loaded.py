"""Loads what commands of a cluster need, into the process that `tests.servers.forked` forks."""

from __future__ import annotations

import faust  # noqa: F401

import console.cluster.serving
import console.server  # noqa: F401
from engine.warm import load

load()
