"""``tintype check``: a shop's configuration and rules, without starting anything."""

from __future__ import annotations

from app import exits
from app.checks.coupons import unused
from app.commands.options import Json, ShopFolder
from app.folder import Folder
from app.load import read_folder
from app.output import page, print_json


def check(shop: ShopFolder, json: Json = False) -> int:
    """Check a shop's configuration and rules, without starting anything.

    Prints every error of the folder as file:line: what: what to do, and ends with code 2 if there is any.
    Notes, such as of a pool of coupons that nothing uses, are no errors.
    """
    folder = read_folder(shop)
    counts, notes = count_declared(folder), notes_on(folder)
    if json:
        said = [{"where": where, "note": note} for where, note in notes]
        print_json({"shop": folder.shop.settings.name, "declared": counts, "errors": [], "notes": said})
    else:
        for where, note in notes:
            page.print(f"{where}: note: {note}", markup=False, soft_wrap=True)
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        page.print(f"{folder.shop.settings.name}: {told}: no errors", markup=False, soft_wrap=True)
    return exits.OK


def notes_on(folder: Folder) -> list[tuple[str, str]]:
    """Return where there is what is no error, and somebody should know; and what it is."""
    notes = unused(folder)
    if folder.shop.triggers and not folder.shop.settings.triggers.shadow_first:
        where = folder.where("tintype.toml", "triggers", "shadow_first")
        notes.append((where, "shadow_first = false: triggers go live without a trial in shadow"))
    return notes


def count_declared(folder: Folder) -> dict[str, int]:
    """Return how many of each kind the shop declares."""
    shop = folder.shop
    coupons = {"pools of coupons": len(shop.coupons)} if shop.coupons else {}
    return {
        "sources": len(shop.sources),
        "metrics": len(shop.metrics),
        "rfm models": len(shop.rfm),
        "tags": len(shop.tags),
        "triggers": len(shop.triggers),
        "channels": len(shop.channels),
        **coupons,
        "timelines": len(folder.timelines),
    }
