"""``tintype deliveries``: what became of each decision to act; by hand where somebody has to decide."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
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
from app.pages.deliveries import count_table, delivery_table, provider_table, show_life
from app.providers import providers_beside, providers_of_cluster
from app.shop import Shop
from rules.suggest import suggest
from sinks.channels.charging import prices_of
from sinks.channels.replaying import why_not
from sinks.deliveries.again import DEAD, MOST, dead_count, dead_letters, replayable, send_again
from sinks.deliveries.by_hand import AGAIN, check_by_hand
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event, Impossible, State
from sinks.deliveries.listing import Wanted, counts, life_of, listed
from streams.errors import InputError

ByHand = Callable[[str, Event, str, float], None]
SHOWN = 50  # deliveries, where nobody says how many
_MINUTE_SECONDS = 60.0
_SETTLED = {"delivered": Event.SETTLE_DELIVERED, "failed": Event.SETTLE_FAILED}


@dataclass(frozen=True)
class _Place:
    """A shop's ledger, what acts by hand on one delivery, what sends many again, by a resend or a replay, and
    returns how many, and what finds a customer's id."""

    ledger: Ledger
    act: ByHand
    again: Callable[[Sequence[str], str, float, Event], int]
    find: Callable[[str], str]


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
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="decided before")] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="the newest so many (50); of a replay the oldest (all)"),
    ] = None,
    count: Annotated[bool, typer.Option("--counts", help="count by trigger, day, channel and state")] = False,
    providers: Annotated[bool, typer.Option("--providers", help="how the channels' providers stand")] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="send ID again; without ID, what --state lists (and --reason)")
    ] = False,
    replay: Annotated[
        bool,
        typer.Option("--replay", help="post webhooks again that are out: ID, or --channel and --since"),
    ] = False,
    settle: Annotated[
        str | None, typer.Option("--settle", help="ID, which is unknown, is delivered or failed")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="why, for the record")] = None,
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show deliveries, count them, and act by hand on one of them; send those again that came to nothing, or
    whose receiver has lost them.

    It may run beside the shop. What is sent again goes out within a second where the shop runs, or when it
    does. Marketing that is `unknown` may be out already: whoever sends it again decides that. Of a cluster
    (--cluster), what is done by hand is asked of the worker that sends.
    """
    declared = load_shop(shop)
    zone, event = declared.settings.zone, _event(resend, replay, settle)
    if providers:
        stand = (providers_of_cluster if cluster else providers_beside)(shop, declared)
        print_json({"providers": stand}) if json else page.print(provider_table(stand, zone))
        return exits.OK
    with _in_cluster(shop, declared) if cluster else _in_data_folder(shop, declared) as place:
        if event is not None and (delivery is not None or event not in AGAIN):
            _act(place, declared, delivery, event, reason)
        if delivery is not None:
            _show_one(place, delivery, zone, json)
            return exits.OK
        whose = None if customer is None else place.find(customer)
        start, end = _read_time("--since", since, zone), _read_time("--until", until, zone)
        wanted = Wanted(_known_state(state), channel, trigger, whose, start, end)
        if event is Event.REPLAY:
            replayed = _replay(place, declared, wanted, limit, reason)
            print_json({"replayed": replayed}) if json else page.print(f"{replayed:,} queued again")
        elif event is Event.RESEND:
            done = _send_again(place, wanted, limit or SHOWN, reason)
            told = f"{done['resent']:,} queued again, {done['left']:,} left"
            print_json(done) if json else page.print(told)
        elif count:
            _show_counts(place, declared, wanted, json)
        else:
            rows = listed(place.ledger.connection, wanted, limit or SHOWN, newest=True)
            body = {"deliveries": [asdict(one) for one in rows]}
            print_json(body) if json else page.print(delivery_table(rows, zone))
    return exits.OK


def _event(resend: bool, replay: bool, settle: str | None) -> Event | None:
    """Return what is to be done by hand; None where nothing is."""
    if resend + replay + (settle is not None) > 1:
        raise InputError("deliveries", "several things are to be done at once",
                         "write one of --resend, --replay and --settle")  # fmt: skip
    if settle is not None:
        return _settled(settle)
    return Event.RESEND if resend else Event.REPLAY if replay else None


def _show_one(place: _Place, delivery: str, zone: str, json: bool) -> None:
    found = life_of(place.ledger.connection, delivery)
    if found is None:
        raise _nobody(delivery)
    if json:
        one, attempts, acts = found
        print_json({"delivery": asdict(one), "attempts": [asdict(each) for each in attempts],
                    "by_hand": [asdict(act) for act in acts]})  # fmt: skip
    else:
        show_life(*found, zone)


def _show_counts(place: _Place, declared: Shop, wanted: Wanted, json: bool) -> None:
    currency = declared.settings.currency
    sums = counts(place.ledger.connection, wanted, prices_of(declared.channels))
    if json:
        print_json({"counts": [asdict(one) for one in sums], "currency": currency or None})
    else:
        page.print(count_table(sums, currency))


def _send_again(place: _Place, wanted: Wanted, limit: int, reason: str | None) -> dict[str, int]:
    """Send what has come to nothing again, the oldest first; return how many, and how many are left."""
    if wanted.state not in DEAD:
        told = ", ".join(f"--state '{one}'" for one in DEAD)
        raise InputError("--resend", "no delivery is named, and no state whose deliveries came to nothing",
                         f"write an ID, or one of {told}")  # fmt: skip
    if limit > MOST:
        raise InputError("--limit", f"{limit} are more than go at once", f"{MOST} are the most")
    why = _reason(reason)
    found = dead_letters(place.ledger.connection, wanted, limit)
    resent = place.again(found, why, time.time(), Event.RESEND) if found else 0
    return {"resent": resent, "left": dead_count(place.ledger.connection, wanted)}


def _replay(place: _Place, declared: Shop, wanted: Wanted, limit: int | None, reason: str | None) -> int:
    """Send those again that are out, in the order of deciding, all or the oldest so many; return how many."""
    if wanted.channel is None or wanted.since is None or wanted.state is not None:
        hint = "write an ID, or --channel NAME --since TIME [--until TIME], without --state"
        raise InputError("--replay", "neither a delivery nor a channel's time is named", hint)
    _check_replays(declared, wanted.channel)
    why, now = _reason(reason), time.time()
    wanted = replace(wanted, until=now if wanted.until is None else wanted.until)
    replayed = 0
    after: int | None = 0
    while after is not None and (limit is None or replayed < limit):
        most = MOST if limit is None else min(MOST, limit - replayed)
        found, after = replayable(place.ledger.connection, wanted, after, most)
        replayed += place.again(found, why, now, Event.REPLAY) if found else 0
    return replayed


def _check_replays(declared: Shop, channel: str) -> None:
    if (problem := why_not(declared.channels, channel)) is not None:
        raise InputError("--replay", *problem)


def _reason(reason: str | None) -> str:
    if not (reason or "").strip():
        raise InputError("--reason", "there is none", "say why, for the record: --reason TEXT")
    return str(reason)


def _act(place: _Place, declared: Shop, delivery: str | None, event: Event, reason: str | None) -> None:
    if delivery is None:
        raise InputError("deliveries", "no delivery is named", "write: tintype deliveries SHOP ID --settle")
    why = _reason(reason)
    found = life_of(place.ledger.connection, delivery) if event is Event.REPLAY else None
    if found is not None:
        _check_replays(declared, found[0].channel)
    try:
        place.act(delivery, event, why, time.time())
    except KeyError:
        raise _nobody(delivery) from None
    except Impossible as error:
        raise InputError(delivery, str(error), "tintype deliveries SHOP ID shows its life") from None


@contextlib.contextmanager
def _in_data_folder(folder: Path, declared: Shop) -> Iterator[_Place]:
    """Yield an embedded shop's."""

    def find(customer: str) -> str:
        with open_log(folder, declared) as log:
            return known_customer(log, customer)

    with contextlib.closing(Ledger(data_folder(folder, declared))) as ledger:
        yield _Place(ledger, ledger.act_by_hand, partial(send_again, ledger), find)


@contextlib.contextmanager
def _in_cluster(folder: Path, declared: Shop) -> Iterator[_Place]:
    """Yield a cluster's."""
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
        again([delivery], reason, now, event)

    def again(found: Sequence[str], reason: str, now: float, event: Event) -> int:
        if not ledger.ask(*(asked.Act(one, event, reason, now) for one in found)):
            notes.print("it is asked; no worker has done it yet", markup=False)
        return len(found)

    with cluster_ledger(place) as ledger:
        yield _Place(ledger.seen, act, again, find)


def _settled(word: str | None) -> Event:
    if word not in _SETTLED:
        raise InputError("--settle", f"'{word}' is no end", "write --settle delivered, or --settle failed")
    return _SETTLED[word]


def _read_time(option: str, text: str | None, zone: str) -> float | None:
    if text is None:
        return None
    try:
        return parse_moment(text, None, zone) * _MINUTE_SECONDS
    except ValueError as error:
        problem, _, hint = str(error).partition("; ")
        raise InputError(option, problem, hint) from None


def _known_state(state: str | None) -> str | None:
    if state is not None and state not in list(State):
        raise InputError("--state", f"there is no state '{state}'", suggest(state, list(State), "state"))
    return state


def _nobody(delivery: str) -> InputError:
    return InputError(delivery, "there is no such delivery", "tintype deliveries SHOP lists them with ids")
