"""A shop in one process: log, engine, profile store, channels and history (design, section 6)."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from app.life.gate import Agree, open_at_gate, telling
from app.load import read_folder
from app.log_folder import data_folder
from app.owner import Owner
from app.recommending import Recommending, make_trainer
from app.runtime import keep_settings
from app.sending.relays import Relays
from app.service import Service
from app.shop import Shop
from sinks.coupons.codes import forget
from sinks.deliveries.ledger import Ledger
from sinks.inbox.inbox import Inboxes
from sinks.recommendations.shelves import Shelves
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store, is_away
from streams.control import Control
from streams.live import append_controls
from streams.log.log import Log
from streams.personal.erase import Erased, erase
from streams.personal.find import references_of

STORE_FOLDER = "store"
TURN_SECONDS = 0.0005
COLLECT_EVERY = (50_000, 20, 50)  # so many objects more; collections of the young; of the middle-aged


@dataclass
class Embedded:
    """What `open_embedded` opens. The server, store and ledger may be read from any thread."""

    folder: Path
    data: Path
    shop: Shop
    log: Log
    server: EmbeddedServer
    store: Store
    ledger: Ledger
    relays: Relays
    service: Service
    worker: threading.Thread

    def wait_until_ready(self, seconds: float = 600.0) -> None:
        """Return once the log is caught up with. Raises what stopped the worker, if it did."""
        deadline = time.monotonic() + seconds
        while not self.service.ready:
            if self.service.failed is not None:
                raise self.service.failed
            if time.monotonic() > deadline:
                raise TimeoutError(f"not caught up after {seconds:.0f} s")
            time.sleep(0.01)

    def erase(self, customer: bytes) -> Erased:
        """Erase a customer (id of 16 bytes), everywhere; done on return. Not in the worker's thread.

        Files of channels, the inbox and codes come first, while the references are known: a crash, or a store
        that is away, then leaves the customer to be erased again. They come once more for what was sent
        meanwhile.
        """

        def change(log: Log, shop: Shop, minute: int) -> Erased:
            return erase(log, shop.sources, customer, minute, "live")

        place = (self.store.client, self.shop.settings.name, self.shop.settings.partitions)
        inboxes, shelves = Inboxes(*place), Shelves(*place)
        self.relays.sender.erase(self.service.ask(lambda owner: references_of(owner.log, customer)).result())
        inboxes.erase(customer)
        forget(self.ledger, customer.hex())
        shelves.erase(customer)
        erased = self.service.change(change).result()
        self.relays.sender.erase(erased.references)
        inboxes.erase(customer)
        forget(self.ledger, customer.hex())
        shelves.erase(customer)
        return erased


def take_short_turns() -> None:
    """Let threads take turns in Python every half millisecond, not every five.

    The thread that works lets go of the interpreter in each of some fifty calls of a batch (SQLite, Arrow,
    the store), and gets it back only at the end of somebody's turn: of relays that copy to history, or of
    requests that are read. Call it where the process is the shop's own.
    """
    sys.setswitchinterval(TURN_SECONDS)


def spare_the_collector() -> None:
    """Let Python's garbage collector pass over everything that lives now, for as long as the process does.

    Call it once a shop is ready. There are a quarter of a million objects by then, nearly all of them code
    and types that stay for ever; a full collection goes through them every few seconds under load and holds
    every thread for a tenth of a second. What is made later is collected, but only once there is much of it:
    a batch is some hundred thousand objects that all live until it is done, and was gone through a hundred
    times, which took a seventh of what stage 1 of a worker computes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)


def write_line(line: str) -> None:
    """Write a line to the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def open_embedded(
    folder: Path, say: Callable[[str], None] = write_line, progress: Callable[[int], None] | None = None,
    port: int | None = None, now: Callable[[], float] = time.time, agree: Agree | None = None,
    recommend: bool = True,
) -> Iterator[Embedded]:  # fmt: skip
    """Open a shop as its owner and set it to work in threads of its own; stop it all on leaving.

    Call it from the main thread. say: gets a line about what had to be healed, and what a console channel
    writes; progress: records applied while catching up; port: of the profile store, any free one by default;
    now: the wall clock in seconds; agree: asked before something goes live (`app.life.gate`), which is said
    by default; recommend: keep recommendation slots up to date. Raises InputError and ConfigError where the
    folder cannot be used, and `streams.log.lock.WrittenElsewhere` where another process has it.
    """
    read = read_folder(folder)
    shop = read.shop
    data = data_folder(folder, shop)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open_at_gate(read, agree or telling(say, shop)))
        keep_settings(log, shop)
        server = EmbeddedServer(data / STORE_FOLDER, port, wait=False)
        stack.callback(server.stop)
        ledger = Ledger(data)
        stack.callback(ledger.close)
        store = Store(server.client, shop.settings.name)
        relays = Relays(folder, shop, store, ledger, log.partitions, say, now)
        stack.callback(relays.stop)
        service = _service(log, shop, data, server, store, relays, say, now)
        worker = threading.Thread(target=_run, args=(service, progress), name="engine")
        worker.start()
        stack.callback(worker.join)
        stack.callback(service.stop)
        relays.start(service.fail, partial(_append, service))
        if recommend and shop.recommendations is not None and relays.history is not None:
            make = partial(make_trainer, folder, shop, store.client, relays.history, now)
            recommending = Recommending(
                make, lambda: service.ready and relays.copied.is_set(), shop.recommendations, say
            )
            recommending.start(service.fail)
            stack.callback(recommending.stop)
        yield Embedded(folder, data, shop, log, server, store, ledger, relays, service, worker)


def _append(service: Service, controls: Sequence[Control]) -> Future[int]:
    return service.change(lambda log, _, minute: append_controls(log, controls, minute))


def _service(
    log: Log, shop: Shop, data: Path, server: EmbeddedServer, store: Store, relays: Relays,
    say: Callable[[str], None], now: Callable[[], float],
) -> Service:  # fmt: skip
    def away(error: Exception) -> None:
        service.store_is_away(error)
        if server.revive():
            say(f"the profile store had ended and was started again ({error})")

    def make() -> Owner:
        while True:
            try:
                return Owner(log, shop, data, store, relays.drained(), away, say)
            except redis.RedisError as error:
                if not is_away(error):
                    raise
                away(error)

    service = Service(make, log, now, say, relays.drained)
    return service


def _run(service: Service, progress: Callable[[int], None] | None) -> None:
    with contextlib.suppress(Exception):  # it stands in service.failed, for those who wait
        service.run(progress)
