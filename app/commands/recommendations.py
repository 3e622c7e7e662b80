"""``tintype recommendations``: how the slots stand, what a customer would get, and training by hand."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import redis
import typer
from rich.table import Table

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.output import notes, page, print_json
from app.shop import Shop
from rules.suggest import suggest
from streams.errors import InputError
from streams.log.lock import WrittenElsewhere

if TYPE_CHECKING:
    from sinks.recommendations.trainer import Trainer
    from sinks.store.store import Store

_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class _Place:
    """Where a shop's slots are: its store, customers by what they are called, and what trains the slots,
    where that was asked for."""

    shop: Shop
    store: Store
    find: Callable[[str], bytes]
    trainer: Trainer | None = None


def recommendations(
    shop: ShopFolder,
    customer: Annotated[
        str | None, typer.Option("--customer", help="type:value or id: what they would get")
    ] = None,
    slot: Annotated[str | None, typer.Option("--slot", help="of this slot; of each when absent")] = None,
    train: Annotated[bool, typer.Option("--train", help="train now")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="of a cluster: train and refresh until Ctrl-C; one such process")
    ] = False,
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show the recommendation slots' model, or what a customer would get, with reasons; train it now.

    A running embedded shop trains by itself; while it runs, ask it: GET
    /v1/profiles/CUSTOMER/recommendations/SLOT. A cluster's slots are trained by one `--cluster --keep`.
    """
    declared = load_shop(shop)
    if declared.recommendations is None:
        raise InputError(str(shop), "has no recommendation slots", "declare them in recommendations.yaml")
    slots = declared.recommendations.slots
    if slot is not None and slot not in slots:
        raise InputError("--slot", f"there is no slot '{slot}'", suggest(slot, slots, "slot"))
    if keep and not cluster:
        raise InputError("--keep", "is for a cluster", "add --cluster; tintype run trains by itself")
    with _opened(shop, declared, cluster, train) as place:
        if place.trainer is not None and train:
            _train(place.trainer)
        if place.trainer is not None and keep:
            _keep(place.trainer, declared.recommendations.refresh_seconds)
        body = _standing(place) if customer is None else _of_customer(place, customer, slot)
    if json:
        print_json(body)
    elif customer is None:
        _show_standing(body)
    else:
        _show_customer(body)
    return exits.OK


def _opened(
    folder: Path, declared: Shop, cluster: bool, train: bool
) -> contextlib.AbstractContextManager[_Place]:
    if cluster:
        return _of_cluster(folder, declared)
    return _training(folder) if train else _looking(folder, declared)


@contextlib.contextmanager
def _looking(folder: Path, declared: Shop) -> Iterator[_Place]:
    """Open the log and the store as they lie: to look is no reason for the shop's clock to go on."""
    from app.embedded import STORE_FOLDER
    from app.inspect import known_customer
    from sinks.store.server import EmbeddedServer
    from sinks.store.store import Store
    from streams.log.log import FILE_NAME

    data = data_folder(folder, declared)
    if not (data / FILE_NAME).exists():
        raise _untrained()
    with _alone(folder), contextlib.closing(open_log(folder, declared, write=True)) as log:
        server = EmbeddedServer(data / STORE_FOLDER)
        try:
            store = Store(server.client, declared.settings.name)
            yield _Place(declared, store, lambda named: bytes.fromhex(known_customer(log, named)))
        finally:
            server.stop()


@contextlib.contextmanager
def _training(folder: Path) -> Iterator[_Place]:
    """Open the shop as `tintype run` does: history must have every row before it is trained on."""
    from app.embedded import open_embedded
    from app.inspect import known_customer
    from app.recommending import make_trainer

    with (
        _alone(folder),
        open_embedded(folder, lambda line: notes.print(line, markup=False), recommend=False) as opened,
    ):
        opened.wait_until_ready()
        assert opened.relays.history is not None  # the folder's check asks for it
        with notes.status("copying the log to history"):
            while not opened.relays.copied.wait(_LOOK_SECONDS):
                if opened.service.failed is not None:
                    raise opened.service.failed
        trainer = make_trainer(folder, opened.shop, opened.store.client, opened.relays.history, time.time)

        def find(named: str) -> bytes:
            asked = opened.service.ask(lambda owner: known_customer(owner.log, named))
            return bytes.fromhex(asked.result())

        yield _Place(opened.shop, opened.store, find, trainer)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        yield
    except WrittenElsewhere as error:
        hint = "ask the running shop: GET /v1/profiles/CUSTOMER/recommendations/SLOT; it trains by itself"
        raise InputError(str(folder), "the shop runs in another process", hint) from error


@contextlib.contextmanager
def _of_cluster(folder: Path, declared: Shop) -> Iterator[_Place]:
    from app.clickhouse_address import clickhouse_address
    from app.cluster.person import find
    from app.recommending import make_trainer
    from app.worker.place import cluster_place
    from sinks.history.server import ServerHistory
    from sinks.store.store import Store
    from streams.shared.index import Index

    place = cluster_place(folder, declared)
    client = place.client()
    history = ServerHistory(clickhouse_address(declared), declared.settings.zone)
    try:
        trainer = make_trainer(folder, declared, client, history, time.time)
        index = Index(client, declared.settings.name)
        yield _Place(
            declared, Store(client, declared.settings.name),
            lambda named: find(index, place.secret, named), trainer,
        )  # fmt: skip
    finally:
        history.close()
        client.close()


def _train(trainer: Trainer) -> None:
    with notes.status("training") as status:
        if trainer.train(lambda stage: status.update(f"training: {stage}")) is None:
            hint = "import some, or look at `where` of the interests in recommendations.yaml"
            raise InputError("recommendations", "history has no rows of interest", hint)


def _keep(trainer: Trainer, every_seconds: float) -> None:
    """Train and refresh until Ctrl-C."""
    from sinks.store.store import is_away

    told = ""
    while True:
        try:
            trainer.step()
            told = ""
        except (InputError, redis.RedisError) as error:
            if isinstance(error, redis.RedisError) and not is_away(error):
                raise
            if str(error) != told:
                told = str(error)
                notes.print(f"{told} (tried again)", markup=False, soft_wrap=True)
        time.sleep(every_seconds)


def _untrained() -> InputError:
    return InputError("recommendations", "nothing was trained yet", "add --train")


def _standing(place: _Place) -> dict[str, Any]:
    from console.serving import moment
    from sinks.recommendations.model import Model
    from sinks.recommendations.shelves import Shelves

    settings = place.shop.settings
    shelves = Shelves(place.store.client, settings.name, settings.partitions)
    standing = shelves.standing()
    if standing is None:
        raise _untrained()
    packed = shelves.read("model", standing.model)
    if packed is None:
        raise InputError("recommendations", "the model went out of the store", "add --train")
    model = Model.unpacked(packed)
    return {
        "version": standing.model, "trained": _written(standing.trained),
        "refreshed": _written(standing.refreshed), "as_of": moment(model.as_of).isoformat(),
        "items": len(model.items), "customers": model.customers, "rows": model.rows,
        "coverage": round(model.coverage, 4),
        "popular": {name: len(ids) for name, ids in model.popular.items()}, "bytes": dict(shelves.memory()),
    }  # fmt: skip


def _of_customer(place: _Place, named: str, slot: str | None) -> dict[str, Any]:
    from msgspec.json import decode

    from console.serving import counter_of
    from sinks.recommendations.answer import items_of
    from sinks.recommendations.serving import NoSuchCustomer, NotTrained

    counter = counter_of(place.shop, place.store)
    assert counter is not None
    identity, found = place.find(named), {}
    for name in [slot] if slot is not None else list(counter.declared.slots):
        try:
            served = counter.serve(name, identity)
        except NotTrained as error:
            raise InputError("recommendations", str(error), "add --train") from None
        except NoSuchCustomer:
            raise InputError(named, "has no profile yet", "run the shop, or add --train") from None
        declared = counter.declared.slots[name]
        found[name] = {
            "title": dict(declared.title), "personalised": served.personalised,
            "items": [decode(one) for one in items_of(served, declared.model_copy(update={"reasons": True}))],
        }  # fmt: skip
    return {"customer": identity.hex(), "slots": found}


def _show_standing(body: dict[str, Any]) -> None:
    table = Table("", "", box=None, show_header=False)
    for name, value in body.items():
        if isinstance(value, dict):
            table.add_row(name, ", ".join(f"{key} {count:,}" for key, count in value.items()))
        else:
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    page.print(table, markup=False)


def _show_customer(body: dict[str, Any]) -> None:
    for name, slot in body["slots"].items():
        page.print(f"{name}{'' if slot['personalised'] else ' (not personalised)'}", markup=False)
        table = Table("item", "title", "category", "price", "why", box=None)
        for one in slot["items"]:
            texts = one["because"]["text"]
            title = next(iter(one["title"].values()), "")
            table.add_row(one["id"], title, one["category"], one["price"], f"{texts['zh']} / {texts['en']}")
        page.print(table, markup=False)


def _written(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")
