"""``tintype check``: a shop's configuration and rules, without starting anything."""

from __future__ import annotations

from dataclasses import asdict

from app import exits
from app.checks.consents import notes_on_consents
from app.checks.coupons import unused
from app.checks.note import Note
from app.checks.sms_parts import notes_on_parts
from app.commands.options import Json, ShopFolder
from app.folder import Folder
from app.load import read_folder
from app.output import page, print_json


def check(shop: ShopFolder, json: Json = False) -> int:
    """Check a shop's configuration and rules, without starting anything.

    Prints every error of the folder as file:line: what: what to do, and ends with code 2 if there is any.
    Notes are no errors: a pool of coupons that nothing uses, a text of SMS that is charged as several
    messages, marketing that asks for no consent.
    """
    folder = read_folder(shop)
    counts, notes = count_declared(folder), notes_on(folder)
    if json:
        print_json({"shop": folder.shop.settings.name, "declared": counts, "errors": [],
                    "notes": [asdict(one) for one in notes]})  # fmt: skip
    else:
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        for one in notes:
            page.print(f"{one.where}: note: {one.note}: {one.hint}", markup=False, soft_wrap=True)
        page.print(f"{folder.shop.settings.name}: {told}: no errors", markup=False, soft_wrap=True)
    return exits.OK


def notes_on(folder: Folder) -> list[Note]:
    """Return what is no error, and somebody should know."""
    notes = [*unused(folder), *notes_on_parts(folder), *notes_on_consents(folder)]
    if folder.shop.triggers and not folder.shop.settings.triggers.shadow_first:
        where = folder.where("tintype.toml", "triggers", "shadow_first")
        told = "triggers go live without a trial in shadow"
        notes.append(Note(where, told, "leave shadow_first out, and let them run in shadow first"))
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
