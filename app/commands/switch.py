"""``tintype switch``: stop everything, a channel or a trigger at once, and let it go on."""

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
from app.sending.switches import HINT, name_for_people, name_in_log
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.switches import ask, asked, off_with
from streams.errors import InputError
from streams.log.log import FILE_NAME


def switch(
    shop: ShopFolder,
    what: Annotated[
        str | None, typer.Argument(metavar="[WHAT]", help="everything, channel/NAME or trigger/NAME")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="stop it")] = False,
    on: Annotated[bool, typer.Option("--on", help="let it go on")] = False,
    reason: Annotated[str, typer.Option("--reason", help="why, for the record")] = "",
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show what is switched off; or stop everything, a channel or a trigger (--off), or let it go on (--on).

    It may run beside the shop: within a second nothing of it is sent any more, and what is decided from then
    on is refused by `kill_switch`. What waited to be sent is held back. Where the shop does not run, it holds
    from its next start on. It is a record of the log, with its reason. Of a cluster (--cluster), the worker
    that sends is asked.
    """
    declared = load_shop(shop)
    if what is None and (off or on):
        raise InputError("switch", "what is to be switched is not named", HINT)
    if what is not None and off == on:
        raise InputError(what, "is to be stopped or to go on?", "write --off or --on")
    name = None if what is None else name_in_log(declared, what)
    off_now = (_in_cluster if cluster else _in_data_folder)(shop, declared, name, off, reason)
    stopped = {name_for_people(one): why for one, why in off_now.items()}
    if json:
        print_json({"off": list(stopped), "reasons": stopped})
    elif stopped:
        told = (f"{name} ({reason})" if reason else name for name, reason in stopped.items())
        page.print("off: " + ", ".join(told), markup=False, soft_wrap=True)
    else:
        page.print("nothing is switched off")
    return exits.OK


def _in_data_folder(folder: Path, declared: Shop, what: str | None, off: bool, reason: str) -> dict[str, str]:
    """Turn a switch, if one is named, of an embedded shop; return what is off then, and why."""
    data = data_folder(folder, declared)
    with contextlib.closing(Ledger(data)) as ledger:
        if what is not None:
            ask(ledger, what, off, reason, time.time())
        turned = asked(ledger)
        if not (data / FILE_NAME).exists():
            why = {one.what: one.reason for one in turned}
            return {name: why[name] for name in off_with([], turned)}
        with open_log(folder, declared) as log:
            standing = Revocations(log, time.time)
            standing.refresh(turned)
    return standing.reasons()


def _in_cluster(folder: Path, declared: Shop, what: str | None, off: bool, reason: str) -> dict[str, str]:
    """Do the same of a cluster."""
    from app.cluster.deliveries import cluster_ledger
    from app.worker.place import cluster_place
    from sinks.deliveries.asked import Switch
    from sinks.deliveries.listing import off as off_there

    with cluster_ledger(cluster_place(folder, declared)) as ledger:
        if what is not None and not ledger.ask(Switch(what, off, reason)):
            notes.print("it is asked; no worker has turned it yet", markup=False)
        return off_there(ledger.seen.connection)
