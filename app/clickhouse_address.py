"""Where a shop's history is in the cluster form: a database on a ClickHouse server."""

from __future__ import annotations

import os

from app.shop import Shop
from sinks.history.client import ServerAddress
from streams.errors import InputError

ADDRESS, USER, PASSWORD = "TINTYPE_CLICKHOUSE", "TINTYPE_CLICKHOUSE_USER", "TINTYPE_CLICKHOUSE_PASSWORD"


def clickhouse_address(shop: Shop) -> ServerAddress:
    """Return where it is; connects to nothing. Raises InputError where the address is none.

    The environment, which differs from place to place, wins; user and password stand only there.
    """
    settings = shop.settings.clickhouse
    address = os.environ.get(ADDRESS, settings.address)
    host, sign, port = address.rpartition(":")
    if not sign or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(
            f"tintype.toml, [clickhouse], or {ADDRESS}", f"'{address}' is no address",
            "write host:port of the native protocol, such as clickhouse:9000",
        )  # fmt: skip
    return ServerAddress(
        host.strip("[]"), int(port), settings.database or f"tintype_{shop.settings.name}",
        os.environ.get(USER, "default"), os.environ.get(PASSWORD, ""), settings.secure,
    )  # fmt: skip
