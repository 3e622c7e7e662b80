"""Checks of ``coupons.yaml``, and of what triggers and templates say of coupons."""

from __future__ import annotations

from collections.abc import Collection

from app.checks.note import Note
from app.folder import Folder, check_name
from app.problems import Problems
from rules.suggest import suggest
from sinks.coupons.pool import CODE, SAID, Pool
from triggers.trigger import Action

LABEL = "coupons.yaml"


def check_coupons(folder: Folder, problems: Problems) -> None:
    """Names of pools, and the column that tells of redeemed codes."""
    for name, pool in folder.shop.coupons.items():
        check_name("coupons", name, LABEL, problems)
        if pool.redeemed is not None:
            _check_redeemed(folder, name, pool, problems)


def _check_redeemed(folder: Folder, name: str, pool: Pool, problems: Problems) -> None:
    declared = pool.redeemed
    assert declared is not None
    where = folder.where(LABEL, name, "redeemed", "source")
    sources = folder.names["sources"]
    if declared.source not in sources:
        hint = suggest(declared.source, sources, "source")
        problems.add(where, f"there is no source '{declared.source}'", hint)
        return
    source = folder.shop.sources.get(declared.source)
    if source is None:  # its file is wrong, which is told there
        return
    if source.kind != "rows":
        problems.add(where, f"'{declared.source}' is no source of rows", "name one of kind rows")
        return
    texts = [one for one, column in source.columns.items() if column.type == "text" and not column.personal]
    if declared.code not in texts:
        problem = f"'{declared.source}' has no column '{declared.code}' of text that is not personal"
        hint = suggest(declared.code, texts, "column")
        problems.add(folder.where(LABEL, name, "redeemed", "code"), problem, hint)


def check_said_coupon(
    folder: Folder, label: str, action: Action, said: Collection[str], problems: Problems
) -> None:
    """The action's pool, and what its template says of a coupon. said: the names of the template's values."""
    where = folder.where(label, "action", "coupon" if action.coupon else "template")
    pools = folder.shop.coupons
    if not action.coupon:
        for name in sorted(set(said) & set(SAID) - set(action.values)):
            hint = f"add 'coupon: POOL' to the action, a pool of {LABEL}, or 'values: {{{name}: RULE}}'"
            problems.add(where, f"the template says '{name}', and the action names no pool of coupons", hint)
        return
    for name in sorted(set(SAID) & set(action.values)):
        problem = f"'{name}' is the coupon's, and a value of the action too"
        problems.add(folder.where(label, "action", "values", name), problem, "give the value another name")
    if action.coupon not in pools:
        hint = suggest(action.coupon, pools, "pool") if pools else f"declare it in {LABEL}"
        if action.coupon not in _names(folder):  # else it is wrong, which is told there
            problems.add(where, f"there is no pool of coupons '{action.coupon}'", hint)
        return
    if CODE not in said:
        problem = "the template does not say the code"
        problems.add(where, problem, f"write {{{{ {CODE} }}}} into it, or leave coupon out")
    for name in sorted(set(said) & set(SAID) - set(pools[action.coupon].said())):
        key = name.removeprefix(f"{CODE}_")
        problem = f"the template says '{name}', and pool '{action.coupon}' has no '{key}'"
        problems.add(where, problem, f"add '{key}:' to the pool in {LABEL}")


def unused(folder: Folder) -> list[Note]:
    """Return a note for each pool that no trigger says a code of."""
    used = {trigger.action.coupon for trigger in folder.shop.triggers.values()}
    hint = "name it in the action of a trigger: coupon: POOL"
    return [
        Note(folder.where(LABEL, name), f"no trigger says a code of pool '{name}'", hint)
        for name in folder.shop.coupons if name not in used
    ]  # fmt: skip


def _names(folder: Folder) -> Collection[str]:
    document = folder.documents.get(LABEL)
    value = document.value if document else None
    return value if isinstance(value, dict) else ()
