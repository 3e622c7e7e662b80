"""``tintype apply``: a shop's settings become those of its cluster."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder, Yes
from app.load import load_shop, read_folder
from app.output import notes, page, print_json


def apply(
    shop: ShopFolder,
    check: Annotated[bool, typer.Option("--check", help="only say what would be done")] = False,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Apply a folder's settings to its cluster: make the topics that are not there, and let all workers go by
    these settings, each partition from a record of its log on.

    Nothing changes where they are in force already, or where a trigger would go live that has not run in
    shadow as it is.
    """
    from app.cluster.applied import applied_last
    from app.cluster.deliveries import begin_ledger, shadow_there
    from app.life.gate import (
        as_json,
        asking,
        next_applied,
        past_of_applied,
        refuse_unproven,
        rising_in,
        telling,
    )
    from app.replay import canonical
    from app.worker.place import cluster_place
    from sinks.topics.names import make_topics as make_effect_topics
    from sinks.topics.names import topics_of
    from streams.changes.topics import make_topics
    from streams.debezium import kafka

    folder = read_folder(shop)
    declared = folder.shop
    place = cluster_place(shop, declared)
    before = applied_last(place)
    past = past_of_applied(before)
    refuse_unproven(past, declared, folder.where)
    rises = rising_in(past, declared, partial(shadow_there, place))
    if rises:
        (telling(_note, declared) if check else asking(_note, declared, yes))(rises)
    made: list[str] = []
    if not check:
        partitions = declared.settings.partitions
        made += make_topics(place.bootstrap, place.topics, partitions, declared.sources)
        made += make_effect_topics(place.bootstrap, topics_of(declared.settings.name), partitions)
        if place.topics.ledger in made:
            begin_ledger(place.bootstrap, place.topics.ledger, topics_of(declared.settings.name).decisions)
    differs = before.shop != canonical(declared)
    number = before.number + 1 if differs else before.number
    if differs and not check:
        with kafka.producer(place.bootstrap) as producer:
            value = next_applied(before, past, declared, int(time.time()) // 60).encoded()
            producer.send(place.topics.settings, value, key=b"settings").get(30)
    if json:
        print_json({"number": number, "changed": differs, "topics": made,
                    "went_live": [one.trigger for one in rises], "shadow": as_json(rises)})
    elif not differs:
        page.print(f"these settings are in force already, as number {number}")
    elif check:
        page.print(f"they differ from what is in force, and would be number {number}")
    else:
        page.print(f"settings number {number} are applied; made {len(made)} topics")
    return exits.OK


def _note(line: str) -> None:
    notes.print(line, markup=False, soft_wrap=True)


def secret(
    of: Annotated[
        Path | None, typer.Option("--of", metavar="SHOP", help="an embedded shop's own, to migrate it")
    ] = None,
    json: Json = False,
) -> int:
    """Write a new secret for a shop's cluster: every worker needs the same in TINTYPE_SECRET, for good.

    With --of it is the secret that an embedded shop has: its cluster must have the same.
    """
    made = os.urandom(32).hex() if of is None else _secret_of(of)
    if json:
        print_json({"secret": made})
    else:
        page.print(made)
    return exits.OK


def _secret_of(shop: Path) -> str:
    from app.log_folder import data_folder
    from streams.personal.vault import Vault

    vault = Vault.open(data_folder(shop, load_shop(shop)), write=False)
    try:
        found: bytes = vault.secret
        return found.hex()
    finally:
        vault.close()
