"""``tintype keys``: who may read and who may write over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.log_folder import keys_folder
from app.output import page, print_json
from streams.errors import InputError

if TYPE_CHECKING:
    from console.keys import Key


def keys(
    shop: ShopFolder,
    what: Annotated[Literal["list", "add", "revoke"], typer.Argument(help="what to do")] = "list",
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="of the new key, or the id of the one to revoke")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", help="read, write, personal, inbox or stop; may be given again; read when absent"
        ),
    ] = None,
    json: Json = False,
) -> int:
    """List the API's keys, make one, or take one away. A process at work heeds it at once.

    A new key is printed once; only its hash is kept.
    """
    from console.keys import Keyring

    keyring = Keyring(keys_folder(shop, load_shop(shop)))
    if what == "list":
        return _list(keyring.list(), json)
    if name is None:
        told = "the new key needs a name" if what == "add" else "which key is to be revoked?"
        raise InputError(f"keys {what}", told, f"write: tintype keys SHOP {what} NAME")
    if what == "add":
        scopes = scope or ["read"]
        made = keyring.add(name, scopes)
        if json:
            print_json({"key": made, "name": name, "scopes": scopes})
        else:
            page.print(made, markup=False, soft_wrap=True)
        return exits.OK
    gone = keyring.revoke(name)
    if json:
        print_json({"revoked": gone.id})
    else:
        page.print(f"revoked: {gone.id} ({gone.name})", markup=False, soft_wrap=True)
    return exits.OK


def _list(found: Sequence[Key], json: bool) -> int:
    if json:
        shown = [{"id": key.id, "name": key.name, "scopes": key.scopes, "made": key.made} for key in found]
        print_json({"keys": shown})
        return exits.OK
    table = Table("id", "name", "may", "made", box=None)
    for key in found:
        table.add_row(key.id, key.name, " and ".join(key.scopes), key.made)
    page.print(table)
    return exits.OK
