"""``tintype deliveries``: what became of each decision to act; by hand where somebody has to decide."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.inspect import known_customer
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.moments import parse_moment
from app.output import notes, page, print_json
from app.pages.deliveries import count_table, delivery_table, show_life
from app.shop import Shop
from rules.suggest import suggest
from sinks.deliveries.by_hand import check_by_hand
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, Impossible, State
from sinks.deliveries.listing import Wanted, counts, life_of, listed
from streams.errors import InputError

ByHand = Callable[[str, Event, str, float], None]
Find = Callable[[str], str]
_MINUTE_SECONDS = 60.0
_SETTLED = {"delivered": Event.SETTLE_DELIVERED, "failed": Event.SETTLE_FAILED}


def deliveries(
    shop: ShopFolder,
    delivery: Annotated[str | None, typer.Argument(metavar="[ID]", help="show this one's whole life")] = None,
    state: Annotated[str | None, typer.Option("--state", help="only in this state, such as unknown")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="only of this channel")] = None,
    trigger: Annotated[str | None, typer.Option("--trigger", help="only of this trigger")] = None,
    customer: Annotated[str | None, typer.Option("--customer", help="type:value or id")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="decided then or later")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="the newest so many")] = 50,
    count: Annotated[bool, typer.Option("--counts", help="count by trigger, day, channel and state")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="send ID again (needs --reason)")] = False,
    settle: Annotated[
        str | None, typer.Option("--settle", help="ID, which is unknown, is delivered or failed")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the record")] = None,
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show deliveries, count them, and act by hand on one of them.

    It may run beside the shop. What is sent again goes out within a second where the shop runs, or when it
    does. Marketing that is `unknown` may be out already: whoever sends it again decides that. Of a cluster
    (--cluster), what is done by hand is asked of the worker that sends.
    """
    declared = load_shop(shop)
    zone = declared.settings.zone
    with _in_cluster(shop, declared) if cluster else _in_data_folder(shop, declared) as (ledger, act, find):
        if resend or settle is not None:
            _act(act, delivery, Event.RESEND if resend else _settled(settle), reason)
        if delivery is not None:
            found = life_of(ledger.connection, delivery)
            if found is None:
                raise _nobody(delivery)
            if json:
                one, attempts, acts = found
                print_json({"delivery": asdict(one), "attempts": [asdict(each) for each in attempts],
                            "by_hand": [asdict(act) for act in acts]})  # fmt: skip
            else:
                show_life(*found, zone)
            return exits.OK
        whose = None if customer is None else find(customer)
        start = None if since is None else _read_since(since, zone)
        wanted = Wanted(_known_state(state), channel, trigger, whose, start)
        if count:
            sums = counts(ledger.connection, wanted)
            print_json({"counts": [asdict(one) for one in sums]}) if json else page.print(count_table(sums))
        else:
            rows = listed(ledger.connection, wanted, limit, newest=True)
            body = {"deliveries": [asdict(one) for one in rows]}
            print_json(body) if json else page.print(delivery_table(rows, zone))
    return exits.OK


def _act(act: ByHand, delivery: str | None, event: Event, reason: str | None) -> None:
    if delivery is None:
        raise InputError("deliveries", "no delivery is named", "write: tintype deliveries SHOP ID --resend")
    if not (reason or "").strip():
        raise InputError("--reason", "there is none", "say why, for the record: --reason TEXT")
    try:
        act(delivery, event, str(reason), time.time())
    except KeyError:
        raise _nobody(delivery) from None
    except Impossible as error:
        raise InputError(delivery, str(error), "tintype deliveries SHOP ID shows its life") from None


@contextlib.contextmanager
def _in_data_folder(folder: Path, declared: Shop) -> Iterator[tuple[Ledger, ByHand, Find]]:
    """Yield an embedded shop's ledger, what acts by hand on it, and what finds a customer's id."""

    def find(customer: str) -> str:
        with open_log(folder, declared) as log:
            return known_customer(log, customer)

    with contextlib.closing(Ledger(data_folder(folder, declared))) as ledger:
        yield ledger, ledger.act_by_hand, find


@contextlib.contextmanager
def _in_cluster(folder: Path, declared: Shop) -> Iterator[tuple[Ledger, ByHand, Find]]:
    """Yield the same of a cluster."""
    from app.cluster.deliveries import cluster_ledger
    from app.cluster.person import find as find_there
    from app.worker.place import cluster_place
    from sinks.deliveries import asked
    from streams.shared.index import Index

    place = cluster_place(folder, declared)

    def find(customer: str) -> str:
        with contextlib.closing(place.client()) as client:
            return find_there(Index(client, declared.settings.name), place.secret, customer).hex()

    def act(delivery: str, event: Event, reason: str, now: float) -> None:
        found = life_of(ledger.seen.connection, delivery)
        if found is None:
            raise KeyError(delivery)
        check_by_hand(State(found[0].state), found[0].channel, found[0].reason, event)
        if not ledger.ask(asked.Act(delivery, event, reason, now)):
            notes.print("it is asked; no worker has done it yet", markup=False)

    with cluster_ledger(place) as ledger:
        yield ledger.seen, act, find


def _settled(word: str | None) -> Event:
    if word not in _SETTLED:
        raise InputError("--settle", f"'{word}' is no end", "write --settle delivered, or --settle failed")
    return _SETTLED[word]


def _read_since(text: str, zone: str) -> float:
    try:
        return parse_moment(text, None, zone) * _MINUTE_SECONDS
    except ValueError as error:
        problem, _, hint = str(error).partition("; ")
        raise InputError("--since", problem, hint) from None


def _known_state(state: str | None) -> str | None:
    if state is not None and state not in list(State):
        raise InputError("--state", f"there is no state '{state}'", suggest(state, list(State), "state"))
    return state


def _nobody(delivery: str) -> InputError:
    return InputError(delivery, "there is no such delivery", "tintype deliveries SHOP lists them with ids")
