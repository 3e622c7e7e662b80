"""``tintype erase``: a customer is forgotten."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.load import load_shop
from app.output import notes, page, print_json
from app.shop import Shop
from streams.errors import InputError
from streams.log.lock import WrittenElsewhere
from streams.personal.erase import Erased

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="type:value, such as member:M1, or the id")]


def erase(
    shop: ShopFolder,
    customer: Customer,
    cluster: Cluster = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; needed where nobody can answer")] = False,
    json: Json = False,
) -> int:
    """Erase a customer: profile, references, keys of what is personal, dead letters. It cannot be undone.

    Rows stay in the log as numbers of nobody: the customer's key is forgotten, so that nothing personal in
    them can be read again, in copies of the log neither. While the shop runs, use POST
    /v1/customers/CUSTOMER:erase. Of a cluster (--cluster), workers may run, and stand still for a moment.
    """
    erased = _of_cluster(shop, customer, yes) if cluster else _of_log(shop, customer, yes)
    if json:
        print_json({
            "customer": erased.customer, "references": len(erased.references), "rows": erased.rows,
            "dead_letters": erased.dead_letters, "rejected_rows": erased.rejected_rows,
            "profile_gone": erased.profile_gone,
        })  # fmt: skip
        return exits.OK
    page.print(
        f"{customer} is erased: {erased.rows} rows, {len(erased.references)} references, "
        f"{erased.dead_letters} dead letters, {erased.rejected_rows} rejected rows"
    )
    if not erased.profile_gone:
        page.print("the store still has the profile: it goes once the workers have come to this record")
    return exits.OK


def _confirm(customer: str, yes: bool) -> None:
    if not yes and not typer.confirm(f"Erase {customer} for good?", err=True):
        raise InputError(customer, "not erased", "confirm it, or write --yes")


def _of_log(shop: Path, customer: str, yes: bool) -> Erased:
    from app.embedded import open_embedded
    from app.inspect import known_customer

    try:
        with open_embedded(shop, lambda line: notes.print(line, markup=False)) as opened:
            opened.wait_until_ready()
            found = opened.service.ask(lambda owner: known_customer(owner.log, customer)).result()
            _confirm(customer, yes)
            return opened.erase(bytes.fromhex(found))
    except WrittenElsewhere as error:
        hint = f"ask the running shop: POST /v1/customers/{customer}:erase with a key of scope personal"
        raise InputError(str(shop), "the shop runs in another process", hint) from error


def _of_cluster(folder: Path, customer: str, yes: bool) -> Erased:
    from app.cluster.erase import erase as erase_there
    from app.cluster.person import find
    from app.worker.place import at_places_of, cluster_place
    from app.worker.worker import applied_settings
    from streams.shared.index import Index

    declared = load_shop(folder)
    place = cluster_place(folder, declared)
    shop = at_places_of(Shop.model_validate_json(applied_settings(place).shop), declared)
    with contextlib.closing(place.client()) as client:
        found = find(Index(client, shop.settings.name), place.secret, customer)
    _confirm(customer, yes)
    return erase_there(place, shop, found)
