"""The gate before settings come into force: nothing goes live that has not run in shadow (semantics D6)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import typer

from app.folder import Folder
from app.log_folder import data_folder, open_log
from app.moments import write_moment
from app.problems import ConfigError
from app.replay import canonical, last_version, settings_of_log
from app.shop import Shop
from sinks.deliveries.shadow import Shadow, shadow_in
from streams.changes.settings import Applied
from streams.errors import InputError
from streams.log.log import FILE_NAME, Log
from triggers.past import Past, Run, follow, past_of, rising, unproven
from triggers.trigger import Trigger

WAY = "write 'status: shadow' and let it run, then: tintype triggers SHOP live NAME"
ELSE = "; or, without a trial, shadow_first = false under [triggers] of tintype.toml"


@dataclass(frozen=True)
class Rising:
    """A trigger that is about to go live for the first time as it is. since: the minute from which it ran in
    shadow; shadow: what it decided there.
    """

    trigger: str
    since: int
    shadow: Shadow


Counted = Callable[[str, Sequence[str]], Shadow]
"""Gets a trigger and versions of it; returns what it decided in shadow in these."""

Agree = Callable[[Sequence[Rising]], None]
"""Gets what is about to go live; raises InputError where somebody does not want that."""


def open_at_gate(folder: Folder, agree: Agree) -> Log:
    """Open a shop's log as its one writer, to put the folder's settings in force there.

    Raises ConfigError, with nothing changed, where they let something go live that has run neither in shadow
    nor live before, as it is; whatever ``agree`` raises; and what `app.log_folder.open_log` raises.
    """
    shop = folder.shop
    data = data_folder(folder.path, shop)
    if not (data / FILE_NAME).exists():
        refuse_unproven({}, shop, folder.where)
    log = open_log(folder.path, shop, write=True)
    try:
        if last_version(log) != canonical(shop):
            past = past_of_log(log)
            refuse_unproven(past, shop, folder.where)
            rises = rising_in(past, shop, partial(shadow_in, data))
            if rises:
                agree(rises)
    except BaseException:
        log.close()
        raise
    return log


def past_of_log(log: Log) -> dict[str, Past]:
    """Return the past of a log's triggers, from its settings records."""
    return past_of((minute, triggers_of(version)) for version, minute in settings_of_log(log))


def triggers_of(version: str) -> dict[str, Trigger]:
    """Return the triggers of settings as canonical JSON."""
    return {name: Trigger.model_validate(one) for name, one in json.loads(version)["triggers"].items()}


def past_of_applied(applied: Applied) -> dict[str, Past]:
    """Return the past of a cluster's triggers behind settings that were applied."""
    said = {
        name: Past(one["status"], one["rule"], one["since"], {
            rule: Run(run["shadow"], tuple(run["versions"]), run["live"]) for rule, run in one["runs"].items()
        })
        for name, one in applied.past.items()
    }  # fmt: skip
    if said or not applied.shop:
        return said
    return follow({}, 0, triggers_of(applied.shop))  # by a state of this program that did not note it


def next_applied(before: Applied, past: Mapping[str, Past], shop: Shop, minute: int) -> Applied:
    """Return a folder's settings as they are applied at a minute, behind others and the past they left."""
    behind = follow(past, minute, shop.triggers)
    noted = {name: asdict(one) for name, one in behind.items()}
    return Applied(before.number + 1, canonical(shop), noted)


def refuse_unproven(past: Mapping[str, Past], shop: Shop, where: Callable[..., str]) -> None:
    """Raise ConfigError where a live trigger has not run as it is; where: ``file:line`` of (label, key)."""
    if not shop.settings.triggers.shadow_first:
        return
    errors = []
    for name in unproven(past, shop.triggers):
        ran = name in past and past[name].runs
        why = "its rule is another than has run" if ran else "has not run in shadow"
        errors.append(InputError(where(f"triggers/{name}.yaml", "status"), f"is live, and {why}", WAY + ELSE))
    if errors:
        raise ConfigError(errors)


def rising_in(past: Mapping[str, Past], shop: Shop, counted: Counted) -> list[Rising]:
    """Return what goes live for the first time, with what is counted of its shadow."""
    if not shop.settings.triggers.shadow_first:
        return []
    return [
        Rising(name, run.shadow or 0, counted(name, run.versions))
        for name, run in rising(past, shop.triggers).items()
    ]


def telling(say: Callable[[str], None], shop: Shop) -> Agree:
    """Return what says a line for each trigger that is about to go live, and agrees."""

    def agree(rises: Sequence[Rising]) -> None:
        for one in rises:
            since = write_moment(one.since, shop.settings.zone) if one.since else "the beginning"
            say(f"{one.trigger} goes live; in shadow since {since} it {shadow_in_words(one.shadow)}")

    return agree


def asking(say: Callable[[str], None], shop: Shop, yes: bool) -> Agree:
    """Return what says the same, and asks whoever sits at the terminal, unless ``yes``; where nobody does,
    that the files say so is enough.
    """
    tell = telling(say, shop)

    def agree(rises: Sequence[Rising]) -> None:
        tell(rises)
        if not yes and sys.stdin.isatty() and not typer.confirm("Let them go live?", err=True):
            names = ", ".join(one.trigger for one in rises)
            raise InputError(names, "not live, nothing was changed", "write another status, or confirm")

    return agree


def shadow_in_words(shadow: Shadow) -> str:
    """Return what a trigger decided in shadow, as the end of a sentence.

    >>> shadow_in_words(Shadow(act=1200, customers=1100, refused={"consent": 9}))
    'would have sent 1,200 messages to 1,100 customers, and 9 were refused (consent 9)'
    """
    refused = ", ".join(f"{guard} {number:,}" for guard, number in shadow.refused.items())
    words = f"would have sent {shadow.act:,} messages to {shadow.customers:,} customers"
    if refused:
        words += f", and {sum(shadow.refused.values()):,} were refused ({refused})"
    return words


def as_json(rises: Sequence[Rising]) -> list[dict[str, Any]]:
    """Return the same for ``--json``."""
    return [asdict(one) for one in rises]
