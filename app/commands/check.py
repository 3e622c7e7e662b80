"""``tintype check``: a shop's configuration and rules, without starting anything."""

from __future__ import annotations

from app import exits
from app.commands.options import Json, ShopFolder
from app.folder import Folder
from app.load import read_folder
from app.output import page, print_json


def check(shop: ShopFolder, json: Json = False) -> int:
    """Check a shop's configuration and rules, without starting anything.

    Prints every error of the folder as file:line: what: what to do, and ends with code 2 if there is any.
    """
    folder = read_folder(shop)
    counts, said = count_declared(folder), notes_on(folder)
    if json:
        print_json({"shop": folder.shop.settings.name, "declared": counts, "errors": [], "notes": said})
    else:
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        page.print(f"{folder.shop.settings.name}: {told}: no errors", markup=False, soft_wrap=True)
        for one in said:
            page.print(f"note: {one}", markup=False, soft_wrap=True)
    return exits.OK


def notes_on(folder: Folder) -> list[str]:
    """Return what is no error, and somebody should know."""
    if not folder.shop.triggers or folder.shop.settings.triggers.shadow_first:
        return []
    where = folder.where("tintype.toml", "triggers", "shadow_first")
    return [f"{where}: shadow_first = false: triggers go live without a trial in shadow"]


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
