"""``tintype switch``: stop everything, a channel or a trigger at once, pause it, and let it go on."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.output import notes, page, print_json
from app.sending.revocations import Revocations
from app.sending.switches import HINT, name_for_people, name_in_log, refuse_to_pause
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import Position
from sinks.deliveries.switches import ask, asked, off_with, pauses
from streams.errors import InputError
from streams.log.log import FILE_NAME

Reasons = dict[str, str]


def switch(
    shop: ShopFolder,
    what: Annotated[
        str | None, typer.Argument(metavar="[WHAT]", help="everything, channel/NAME or trigger/NAME")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="stop it")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="let what waits go on waiting")] = False,
    on: Annotated[bool, typer.Option("--on", help="let it go on")] = False,
    reason: Annotated[str, typer.Option("--reason", help="why, for the record")] = "",
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show what is switched off or paused; or stop everything, a channel or a trigger (--off), pause it
    (--pause), or let it go on (--on).

    It may run beside the shop: within a second nothing of it is sent any more, and what is decided from then
    on is refused by `kill_switch`. What waited to be sent is held back. Where the shop does not run, it holds
    from its next start on. It is a record of the log, with its reason. Of a cluster (--cluster), the worker
    that sends is asked.

    What is paused decides as before, and its messages wait: none is lost, and none gets too late meanwhile.
    With --on they go on, at the pace of their trigger.
    """
    declared = load_shop(shop)
    if what is None and (off or pause or on):
        raise InputError("switch", "what is to be switched is not named", HINT)
    if what is not None and off + pause + on != 1:
        raise InputError(what, "is to be stopped, paused or to go on?", "write --off or --on, or --pause")
    name = None if what is None else name_in_log(declared, what)
    to: Position = "paused" if pause else "off" if off else "on"
    stopped, waiting = (_in_cluster if cluster else _in_data_folder)(shop, declared, name, to, reason)
    if json:
        print_json({"off": list(stopped), "paused": list(waiting), "reasons": waiting | stopped})
        return exits.OK
    for word, found in (("off", stopped), ("paused", waiting)):
        told = (f"{name} ({reason})" if reason else name for name, reason in found.items())
        if found:
            page.print(f"{word}: " + ", ".join(told), markup=False, soft_wrap=True)
    if not stopped and not waiting:
        page.print("nothing is switched off or paused")
    return exits.OK


def _in_data_folder(
    folder: Path, declared: Shop, what: str | None, to: Position, reason: str
) -> tuple[Reasons, Reasons]:
    """Turn a switch, if one is named, of an embedded shop; return what is off then and what is paused, by
    its name for people, and why."""
    with contextlib.closing(Ledger(data_folder(folder, declared))) as ledger:
        if what is not None:
            if to == "paused":
                refuse_to_pause(what, _off(folder, declared, ledger))
            ask(ledger, what, to, reason, time.time())
        return _named(_off(folder, declared, ledger)), _named(pauses(ledger))


def _off(folder: Path, declared: Shop, ledger: Ledger) -> Reasons:
    turned = asked(ledger)
    if not (data_folder(folder, declared) / FILE_NAME).exists():
        why = {one.what: one.reason for one in turned}
        return {name: why[name] for name in off_with([], turned)}
    with open_log(folder, declared) as log:
        standing = Revocations(log, time.time)
        standing.refresh(turned)
    return standing.reasons()


def _in_cluster(
    folder: Path, declared: Shop, what: str | None, to: Position, reason: str
) -> tuple[Reasons, Reasons]:
    """Do the same of a cluster."""
    from app.cluster.deliveries import cluster_ledger
    from app.worker.place import cluster_place
    from sinks.deliveries.asked import Switch
    from sinks.deliveries.listing import off as off_there

    with cluster_ledger(cluster_place(folder, declared)) as ledger:
        if what is not None:
            if to == "paused":
                refuse_to_pause(what, off_there(ledger.seen.connection))
            if not ledger.ask(Switch(what, to == "off", reason, to == "paused", time.time())):
                notes.print("it is asked; no worker has turned it yet", markup=False)
        return _named(off_there(ledger.seen.connection)), _named(pauses(ledger.seen))


def _named(found: Reasons) -> Reasons:
    return {name_for_people(one): why for one, why in found.items()}
