"""``tintype api``: the HTTP API of a cluster; any number of them."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.output import page, print_json


def api(
    shop: ShopFolder,
    host: Annotated[str, typer.Option("--host", help="address to listen on; 0.0.0.0 for all")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="of the HTTP API; 0 for any free one")
    ] = 8080,
    json: Json = False,
) -> int:
    """Serve the HTTP API of a cluster: profiles from the store, rows into Kafka. Ends with Ctrl-C.

    It keeps nothing but its keys, and goes by the settings that were applied last (`tintype apply`); start as
    many as wanted.
    """
    from app.embedded import spare_the_collector
    from app.worker.place import cluster_place
    from console.cluster.serving import cluster_serving
    from console.server import Server, build_app, listen, served

    declared = load_shop(shop)
    place = cluster_place(shop, declared)
    listening = listen(host, port)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.closing(listening), cluster_serving(shop, declared, place) as answering:
        server = Server(build_app(answering), listening)
        _tell(answering.shop.settings.name, server.address, answering.keyring.begin(), json)
        spare_the_collector()
        with served(server):
            ended.wait()
    return exits.OK


def _tell(name: str, address: str, keys: dict[str, str], json: bool) -> None:
    """Say where it is; keys are shown this once."""
    if json:
        print_json({"api": address, "keys": keys})
        sys.stdout.flush()
        return
    page.print(f"{name}: API {address}/v1   docs {address}/docs", soft_wrap=True)
    for scope, key in keys.items():
        page.print(f"key to {scope}: {key}   (shown this once; see: tintype keys)", soft_wrap=True)
