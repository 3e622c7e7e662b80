"""``tintype erase``: a customer is forgotten."""

from __future__ import annotations

from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.output import notes, page, print_json
from streams.errors import InputError
from streams.log.lock import WrittenElsewhere

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="type:value, such as member:M1, or the id")]


def erase(
    shop: ShopFolder,
    customer: Customer,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; needed where nobody can answer")] = False,
    json: Json = False,
) -> int:
    """Erase a customer: profile, references, keys of what is personal, dead letters. It cannot be undone.

    Rows stay in the log as numbers of nobody: the customer's key is forgotten, so that nothing personal in
    them can be read again, in copies of the log neither. While the shop runs, use POST
    /v1/customers/CUSTOMER:erase.
    """
    from app.embedded import open_embedded
    from app.inspect import known_customer

    try:
        with open_embedded(shop, lambda line: notes.print(line, markup=False)) as opened:
            opened.wait_until_ready()
            found = opened.service.ask(lambda owner: known_customer(owner.log, customer)).result()
            if not yes and not typer.confirm(f"Erase {customer} for good?", err=True):
                raise InputError(customer, "not erased", "confirm it, or write --yes")
            erased = opened.erase(bytes.fromhex(found))
    except WrittenElsewhere as error:
        hint = f"ask the running shop: POST /v1/customers/{customer}:erase with a key of scope personal"
        raise InputError(str(shop), "the shop runs in another process", hint) from error
    if json:
        print_json({
            "customer": erased.customer, "references": len(erased.references), "rows": erased.rows,
            "dead_letters": erased.dead_letters, "rejected_rows": erased.rejected_rows,
        })  # fmt: skip
    else:
        page.print(
            f"{customer} is erased: {erased.rows} rows, {len(erased.references)} references, "
            f"{erased.dead_letters} dead letters, {erased.rejected_rows} rejected rows"
        )
    return exits.OK
