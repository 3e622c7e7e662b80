"""``tintype coupons``: pools of codes: what is left, loading more, what became of one, what was redeemed."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.output import page, print_json
from app.pages.coupons import code_table, pool_table, show_pool
from app.problems import ConfigError
from app.shop import Shop
from rules.suggest import suggest
from sinks.coupons.codes import find, load
from sinks.coupons.counts import odd_redemptions, standing
from sinks.coupons.reading import Line, read_codes
from sinks.coupons.redeeming import Redemption, redeem
from sinks.deliveries.ledger import Ledger
from streams.errors import InputError
from streams.log.log import FILE_NAME
from streams.personal.find import customers_behind

Action = Literal["list", "show", "import", "redeem", "code"]
_USAGE = {
    "show": "tintype coupons SHOP show POOL", "code": "tintype coupons SHOP code CODE",
    "import": "tintype coupons SHOP import POOL FILE", "redeem": "tintype coupons SHOP redeem POOL FILE",
}  # fmt: skip
_SHOWN = 20  # odd redemptions, and mistakes of a file


def coupons(
    shop: ShopFolder,
    action: Annotated[Action, typer.Argument(help="list, show, import, redeem or code")] = "list",
    name: Annotated[str | None, typer.Argument(metavar="[POOL]", help="a pool; of code: a code")] = None,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="import, redeem: of codes")] = None,
    column: Annotated[
        str | None, typer.Option("--column", help="the codes' heading in FILE, 'code' when absent")
    ] = None,
    json: Json = False,
) -> int:
    """Show pools of codes and what became of them; load codes (import), say what was redeemed, find a code.

    A file .txt has a code a line, any other is a table. What a pool has already is left as it is: the same
    file may be imported again. It may run beside the shop. Codes are masked, but for one that is asked for.
    """
    declared = load_shop(shop)
    if action != "list" and (name is None or (file is None and action in ("import", "redeem"))):
        raise InputError("coupons", f"{action} needs more", f"write: {_USAGE[action]}")
    if action != "code" and name is not None and name not in declared.coupons:
        hint = suggest(name, declared.coupons, "pool") if declared.coupons else "declare it in coupons.yaml"
        raise InputError(name, "there is no such pool of coupons", hint)
    with contextlib.closing(Ledger(data_folder(shop, declared))) as ledger:
        if action == "list":
            _list(ledger, declared, json)
        elif action == "show":
            _show(ledger, declared, str(name), json)
        elif action == "code":
            _code(ledger, declared, str(name), json)
        else:
            assert file is not None
            lines, wrong = read_codes(file, column)
            if wrong:
                raise ConfigError(wrong[:_SHOWN])
            told = _import if action == "import" else _redeem
            done = told(shop, declared, ledger, str(name), lines)
            print_json(done) if json else page.print(_said(done))
    return exits.OK


def _list(ledger: Ledger, declared: Shop, json: bool) -> None:
    zone, now = declared.settings.zone, time.time()
    found = [standing(ledger, name, pool, zone, now) for name, pool in declared.coupons.items()]
    if json:
        print_json({"pools": [asdict(one) for one in found]})
    elif found:
        page.print(pool_table(found, declared.coupons))
    else:
        page.print("there is no pool of coupons; declare one in coupons.yaml")


def _show(ledger: Ledger, declared: Shop, name: str, json: bool) -> None:
    pool, zone = declared.coupons[name], declared.settings.zone
    found = standing(ledger, name, pool, zone, time.time())
    odd = odd_redemptions(ledger, name, _SHOWN)
    used = sorted(one for one, trigger in declared.triggers.items() if trigger.action.coupon == name)
    if json:
        print_json({"pool": asdict(found), "declared": pool.model_dump(mode="json"), "triggers": used,
                    "odd": [asdict(one) for one in odd]})  # fmt: skip
    else:
        show_pool(found, pool, used, odd, zone)


def _code(ledger: Ledger, declared: Shop, code: str, json: bool) -> None:
    found = find(ledger, code)
    if not found:
        raise InputError("code", "no pool has this code", "codes are told apart by capitals, too")
    print_json({"codes": [asdict(one) for one in found]}) if json else page.print(
        code_table(found, declared.settings.zone)
    )


def _import(_: Path, __: Shop, ledger: Ledger, pool: str, lines: Sequence[Line]) -> dict[str, Any]:
    done = load(ledger, pool, [one.code for one in lines], time.time())
    return {"loaded": done.loaded, "known": done.known}


def _redeem(folder: Path, declared: Shop, ledger: Ledger, pool: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Say of a file's codes that they were redeemed: now, each once, whatever other files say."""
    references = sorted({one.customer for one in lines if one.customer})
    known: dict[str, bytes] = {}
    if references and (data_folder(folder, declared) / FILE_NAME).exists():
        with open_log(folder, declared) as log:
            known = customers_behind(log, references)
    now = time.time()
    told = [
        Redemption(pool, one.code, "file", now, known[one.customer].hex() if one.customer in known else None)
        for one in lines
    ]
    found = ledger.change(lambda connection: redeem(connection, told))
    odd = Counter(one for one in found if one)
    return {"redeemed": len(found) - odd["unknown"], "odd": dict(sorted(odd.items()))}


def _said(done: dict[str, Any]) -> str:
    if "loaded" in done:
        return f"{done['loaded']:,} codes loaded, {done['known']:,} were there already"
    odd = ", ".join(f"{count:,} {what}" for what, count in done["odd"].items())
    return f"{done['redeemed']:,} codes redeemed" + (f"; odd: {odd}" if odd else "")
