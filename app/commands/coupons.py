"""``tintype coupons``: pools of codes: what is left, loading more, what became of one, what was redeemed."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app import exits
from app.commands.options import Cluster, Json, ShopFolder
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.output import page, print_json
from app.pages.coupons import code_table, pool_table, show_pool
from app.problems import ConfigError
from app.shop import Shop
from rules.suggest import suggest
from sinks.coupons.codes import Loaded, find, load, loaded_by
from sinks.coupons.counts import odd_redemptions, standing
from sinks.coupons.reading import Line, read_codes
from sinks.coupons.records import CodesRedeemed
from sinks.coupons.redeeming import Odd, Redemption
from sinks.coupons.written import written
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
    cluster: Cluster = False,
    json: Json = False,
) -> int:
    """Show pools of codes and what became of them; load codes (import), say what was redeemed, find a code.

    A file .txt has a code a line, any other is a table. What a pool has already is left as it is: the same
    file may be imported again. It may run beside the shop. Codes are masked, but for one that is asked for.
    Of a cluster (--cluster), what is loaded or redeemed is asked of the worker that sends.
    """
    declared = load_shop(shop)
    if action != "list" and (name is None or (file is None and action in ("import", "redeem"))):
        raise InputError("coupons", f"{action} needs more", f"write: {_USAGE[action]}")
    if action != "code" and name is not None and name not in declared.coupons:
        hint = suggest(name, declared.coupons, "pool") if declared.coupons else "declare it in coupons.yaml"
        raise InputError(name, "there is no such pool of coupons", hint)
    lines = _read(file, column) if file is not None and action in ("import", "redeem") else []
    with _in_cluster(shop, declared) if cluster else _in_data_folder(shop, declared) as at:
        if action == "list":
            _list(at.ledger, declared, json)
        elif action == "show":
            _show(at.ledger, declared, str(name), json)
        elif action == "code":
            _code(at.ledger, declared, str(name), json)
        else:
            done = (_import if action == "import" else _redeem)(at, str(name), lines)
            print_json(done) if json else page.print(_said(done))
    return exits.OK


@dataclass(frozen=True)
class _Place:
    """A shop's ledger, and how it is changed. find: gives ids (16 bytes) of those of ``type:value`` that are
    known."""

    ledger: Ledger
    load: Callable[[str, Sequence[str], float], Loaded]
    redeem: Callable[[Sequence[Redemption]], Sequence[Odd]]
    find: Callable[[Sequence[str]], Mapping[str, bytes]]


@contextlib.contextmanager
def _in_data_folder(folder: Path, declared: Shop) -> Iterator[_Place]:
    """Yield an embedded shop's."""
    data = data_folder(folder, declared)

    def find_there(names: Sequence[str]) -> Mapping[str, bytes]:
        if not (data / FILE_NAME).exists():
            return {}
        with open_log(folder, declared) as log:
            return customers_behind(log, names)

    def redeem(told: Sequence[Redemption]) -> list[Odd]:
        found: list[Odd] = ledger.do(CodesRedeemed(told))[0]
        return found

    with contextlib.closing(Ledger(data)) as ledger:
        yield _Place(ledger, partial(load, ledger), redeem, find_there)


@contextlib.contextmanager
def _in_cluster(folder: Path, declared: Shop) -> Iterator[_Place]:
    """Yield a cluster's."""
    from app.cluster.deliveries import cluster_ledger
    from app.cluster.person import find_many
    from app.worker.place import cluster_place
    from sinks.deliveries import asked

    place = cluster_place(folder, declared)

    def ask(messages: Sequence[asked.Asked]) -> None:
        if messages and not ledger.ask(*messages):
            hint = "it is done as soon as one sends; the same again changes nothing"
            raise InputError("coupons", "it is asked, and no worker has done it yet", hint)

    def load_there(pool: str, codes: Sequence[str], now: float) -> Loaded:
        ask(asked.to_load(pool, codes, now))
        return loaded_by(ledger.seen, pool, codes, now)

    def redeem_there(told: Sequence[Redemption]) -> list[Odd]:
        ask(asked.to_redeem(told))
        return [one or "" for one in written(ledger.seen, told)]

    with cluster_ledger(place) as ledger:
        yield _Place(ledger.seen, load_there, redeem_there, partial(find_many, place))


def _read(file: Path, column: str | None) -> list[Line]:
    lines, wrong = read_codes(file, column)
    if wrong:
        raise ConfigError(wrong[:_SHOWN])
    return lines


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


def _import(at: _Place, pool: str, lines: Sequence[Line]) -> dict[str, Any]:
    done = at.load(pool, [one.code for one in lines], time.time())
    return {"loaded": done.loaded, "known": done.known}


def _redeem(at: _Place, pool: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Say of a file's codes that they were redeemed: now, each once, whatever other files say."""
    references = sorted({one.customer for one in lines if one.customer})
    known, now = at.find(references) if references else {}, time.time()
    whose = [known.get(one.customer or "") for one in lines]
    found = at.redeem([
        Redemption(pool, line.code, "file", now, None if whom is None else whom.hex())
        for line, whom in zip(lines, whose, strict=True)
    ])  # fmt: skip
    odd = Counter(one for one in found if one)
    return {"redeemed": len(found) - odd["unknown"], "odd": dict(sorted(odd.items()))}


def _said(done: dict[str, Any]) -> str:
    if "loaded" in done:
        return f"{done['loaded']:,} codes loaded, {done['known']:,} were there already"
    odd = ", ".join(f"{count:,} {what}" for what, count in done["odd"].items())
    return f"{done['redeemed']:,} codes redeemed" + (f"; odd: {odd}" if odd else "")
