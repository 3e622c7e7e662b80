"""``tintype run``: a shop at work in one process: log, engine, profile store, channels and HTTP API."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder, Yes
from app.output import notes, page, print_json

if TYPE_CHECKING:
    from app.embedded import Embedded
    from console.server import Server
    from console.serving import Serving

_TOLD_EVERY_SECONDS = 2.0
_LOOK_SECONDS = 0.1  # how soon it is seen that the engine has stopped


def run(
    shop: ShopFolder,
    host: Annotated[str, typer.Option("--host", help="address to listen on; 0.0.0.0 for all")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="of the HTTP API; 0 for any free one")
    ] = 8080,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Run a shop: take rows in, keep the profiles, carry decisions out, answer over HTTP. Ends with Ctrl-C.

    Ctrl-C is safe at any moment, and so is a kill: what was accepted is on disk. A trigger that goes live for
    the first time is shown with what it did in shadow; one that has not run there is refused.
    """
    from app.embedded import open_embedded
    from app.life.gate import asking
    from app.load import load_shop
    from console.server import Server, build_app, listen

    agree = asking(_say, load_shop(shop), yes)
    listening = listen(host, port)  # before the log is opened: the usual mistake is told at once
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with (
        contextlib.closing(listening),
        open_embedded(shop, _say, _progress(json), agree=agree) as opened,
        serving(opened) as answering,
    ):
        server = Server(build_app(answering), listening)
        _tell(opened, server, answering.keyring.begin(), json)
        _serve_until(server, opened, ended, json)
    if opened.service.failed is not None:
        raise opened.service.failed
    return exits.OK


@contextlib.contextmanager
def serving(opened: Embedded) -> Iterator[Serving]:
    """Yield what the API answers from."""
    from app.log_folder import keys_folder
    from console.embedded.answers import EmbeddedAnswers
    from console.embedded.coupons import LedgerCoupons
    from console.embedded.deliveries import EmbeddedSending, LedgerDeliveries
    from console.embedded.effects import LedgerEffects
    from console.embedded.figures import ShopCollector
    from console.embedded.rights import EmbeddedRights
    from console.embedded.triggers import EmbeddedTriggers
    from console.embedded.work import EmbeddedWork
    from console.keys import Keyring
    from console.serving import Serving, counter_of
    from sinks.deliveries.ledger import Ledger
    from streams.log.view import LogView

    # Of its own: what the relay has not committed yet must not be seen.
    with (
        contextlib.closing(Ledger(opened.data, write=False)) as ledger,
        contextlib.closing(LogView(opened.data)) as view,
    ):
        work, history = EmbeddedWork(opened.service), opened.relays.history
        sending = EmbeddedSending(opened.relays.sender, opened.ledger)
        made = Serving(
            opened.shop, opened.store, view, work, EmbeddedAnswers(work), LedgerEffects(ledger, opened.data),
            EmbeddedRights(opened, ledger), LedgerDeliveries(ledger, opened.ledger),
            sending, LedgerCoupons(ledger, opened.ledger),
            Keyring(keys_folder(opened.folder, opened.shop)),
            triggers=EmbeddedTriggers(opened, ledger, sending),
            slots=counter_of(opened.shop, opened.store),
            history=(lambda: contextlib.nullcontext(history)) if history is not None else None,
        )  # fmt: skip
        made.figures.registry.register(ShopCollector(opened, made, ledger, view))
        yield made


def _serve_until(server: Server, opened: Embedded, ended: threading.Event, json: bool) -> None:
    """Serve until a signal comes or the engine stops."""
    from app.embedded import spare_the_collector, take_short_turns
    from console.server import served

    told = False
    with served(server):
        while not ended.wait(_LOOK_SECONDS) and opened.worker.is_alive():
            if opened.service.ready and not told:
                told = True
                spare_the_collector()
                take_short_turns()
                _ready(json)


def _tell(opened: Embedded, server: Server, keys: dict[str, str], json: bool) -> None:
    """Say where everything is; keys are shown this once."""
    if json:
        told = {"api": server.address, "data": str(opened.data), "keys": keys}
        print_json(told)
        sys.stdout.flush()
        return
    page.print(f"{opened.shop.settings.name}: log, store and snapshots in {opened.data}", soft_wrap=True)
    page.print(f"API {server.address}/v1   docs {server.address}/docs", soft_wrap=True)
    for scope, key in keys.items():
        page.print(f"key to {scope}: {key}   (shown this once; see: tintype keys)", soft_wrap=True)


def _ready(json: bool) -> None:
    if not json:
        page.print("ready; Ctrl-C ends it")


def _say(line: str) -> None:
    notes.print(line, markup=False, soft_wrap=True)


def _progress(json: bool) -> Callable[[int], None]:
    """Return what is told of the records applied while the log is caught up with."""
    told = time.monotonic()

    def tell(records: int) -> None:
        nonlocal told
        now = time.monotonic()
        if not json and now - told >= _TOLD_EVERY_SECONDS:
            told = now
            notes.print(f"catching up: {records:,} records applied")

    return tell
