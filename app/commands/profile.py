"""``tintype profile``: one customer, now or then."""

from __future__ import annotations

from typing import Annotated

import typer

from app import exits
from app.commands.options import At, Json, ShopFolder
from app.load import load_shop
from app.moments import parse_moment
from app.output import page, print_json
from app.pages.profile_page import WIDEST, profile_page
from streams.errors import InputError


def profile(
    shop: ShopFolder,
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="type:value, such as member:M1, or the id")
    ],
    at: At = None,
    why: Annotated[
        bool, typer.Option("--why", help="say why each tag is held, with the rows that count")
    ] = False,
    json: Json = False,
) -> int:
    """Show one customer, now or at a moment: metrics, RFM, tags and, with --why, the reasons.

    The customer is named by any reference (type:value) or by the id of 32 hex digits.
    """
    from app.runtime import open_shop

    declared = load_shop(shop)
    minute = None if at is None else read_at(at, declared.settings.zone)
    with open_shop(shop) as runtime:
        runtime.catch_up()
        found = runtime.profile(customer, minute, why)
    if json:
        print_json(found)
    else:
        page.print(profile_page(declared, found), width=min(page.width, WIDEST))
    return exits.OK


def read_at(text: str, zone: str, option: str = "--at") -> int:
    """Read an option's time and return its epoch minute. Raises InputError."""
    try:
        return parse_moment(text, None, zone)
    except ValueError as error:
        problem, _, hint = str(error).partition("; ")
        raise InputError(option, problem, hint) from None
