"""``tintype check``: a shop's configuration and rules, without starting anything."""

from __future__ import annotations

from dataclasses import asdict

from app import exits
from app.checks.sms_parts import notes_on_parts
from app.commands.options import Json, ShopFolder
from app.folder import Folder
from app.load import read_folder
from app.output import page, print_json


def check(shop: ShopFolder, json: Json = False) -> int:
    """Check a shop's configuration and rules, without starting anything.

    Prints every error of the folder as file:line: what: what to do, and ends with code 2 if there is any.
    Without one it notes the texts of SMS that are charged as several messages.
    """
    folder = read_folder(shop)
    noted = notes_on_parts(folder)
    counts = count_declared(folder)
    if json:
        print_json({"shop": folder.shop.settings.name, "declared": counts, "errors": [],
                    "notes": [asdict(one) for one in noted]})  # fmt: skip
    else:
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        for one in noted:
            page.print(f"{one.where}: note: {one.note}: {one.hint}", markup=False, soft_wrap=True)
        page.print(f"{folder.shop.settings.name}: {told}: no errors", markup=False, soft_wrap=True)
    return exits.OK


def count_declared(folder: Folder) -> dict[str, int]:
    """Return how many of each kind the shop declares."""
    shop = folder.shop
    return {
        "sources": len(shop.sources),
        "metrics": len(shop.metrics),
        "rfm models": len(shop.rfm),
        "tags": len(shop.tags),
        "triggers": len(shop.triggers),
        "channels": len(shop.channels),
        "timelines": len(folder.timelines),
    }
