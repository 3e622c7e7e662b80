"""How a shop's providers stand, looked at from another process than the one that sends."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import redis

from app.log_folder import data_folder
from app.shop import Shop
from sinks.deliveries.standing import Standing
from streams.errors import InputError


def providers_beside(folder: Path, shop: Shop) -> list[dict[str, Any]]:
    """Return how the providers of an embedded shop stand, as the process that runs it tells. Raises
    InputError where none does."""
    from app.embedded import STORE_FOLDER
    from sinks.store.server import beside

    try:
        with contextlib.closing(beside(data_folder(folder, shop) / STORE_FOLDER)) as client:
            found = Standing(client, shop.settings.name).get()
    except (FileNotFoundError, redis.RedisError) as error:
        hint = "providers are open while it runs: tintype run SHOP"
        raise InputError(str(folder), "no process runs this shop", hint) from error
    if found is None:
        raise InputError(str(folder), "its senders are not at work", "try again in a moment")
    return found


def providers_of_cluster(folder: Path, shop: Shop) -> list[dict[str, Any]]:
    """Return how those of a cluster stand, as the worker that sends tells. Raises InputError."""
    from app.worker.place import cluster_place

    try:
        with contextlib.closing(cluster_place(folder, shop).client()) as client:
            found = Standing(client, shop.settings.name).get()
    except redis.RedisError as error:
        hint = "see TINTYPE_STORE; the sender tells it there"
        raise InputError(str(folder), f"the profile store does not answer ({error})", hint) from error
    if found is None:
        raise InputError(str(folder), "no worker sends at present", "start one: tintype worker; or try again")
    return found
