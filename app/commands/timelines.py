"""``tintype test``: the timelines of a shop's tags and triggers, with a virtual clock."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import read_folder
from app.output import page, print_json
from app.shop import Shop
from app.timelines.run import RuleResult, run_timelines


def timelines(shop: ShopFolder, json: Json = False) -> int:
    """Run the timelines of tags and triggers, with a virtual clock.

    Fails, with code 1, where an expectation does not hold, and where a rule has no case in which it fires
    or none in which it does not.
    """
    from app.runtime import Sandbox

    folder = read_folder(shop)
    with tempfile.TemporaryDirectory(prefix="tintype-") as scratch:
        numbers = itertools.count()

        def sandbox(declared: Shop, stale: Sequence[str]) -> Sandbox:
            return Sandbox(declared, Path(scratch) / str(next(numbers)), stale)

        results = run_timelines(folder, sandbox)
    if json:
        print_json(
            {"passed": all(one.passed for one in results), "rules": [_as_json(one) for one in results]}
        )
    else:
        _print(results)
    return exits.OK if all(one.passed for one in results) else exits.DIFFERENT


def _as_json(result: RuleResult) -> dict[str, Any]:
    failures = [{"where": one.where, "case": one.case, "text": one.text} for one in result.failures]
    return {
        "kind": result.kind,
        "name": result.name,
        "cases": result.cases,
        "passed": result.passed,
        "failures": failures,
    }


def _print(results: list[RuleResult]) -> None:
    for result in results:
        line = Text(
            "  ok    " if result.passed else "  FAIL  ", style="green" if result.passed else "bold red"
        )
        line.append(f"{result.kind}/{result.name}", style="default")
        line.append(f"  {result.cases} case{'' if result.cases == 1 else 's'}", style="dim")
        page.print(line)
        for failure in result.failures:
            case = f"{failure.case}: " if failure.case else ""
            page.print(Text(f"        {failure.where}: {case}{failure.text}"), soft_wrap=True)
    failed = sum(not one.passed for one in results)
    cases = sum(one.cases for one in results)
    page.print(f"{len(results)} rules, {cases} cases, {failed} failed")
