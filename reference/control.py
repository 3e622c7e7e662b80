"""What hands have set: the manual tags of the control records (semantics G1)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd

from reference.membership import Manual
from streams.errors import InputError


@dataclass(frozen=True)
class ManualRecord:
    """One manual record: ``setting`` None removes what was set before."""

    partition: int
    step: int
    minute: int
    customer: str
    tag: str
    setting: Manual | None


def manual_records(control: pd.DataFrame) -> list[ManualRecord]:
    """Return the manual tags of a checked control frame in its order; who is erased loses them all (P7).

    A body is JSON: tag; on: true, false or null (remove); until: epoch minute or null. Raises InputError for
    a body that says anything else.
    """
    found: list[ManualRecord] = []
    of_customer: dict[str, list[str]] = {}
    for record in control[control["kind"].isin(("manual", "erase"))].itertuples(index=False):
        step = (int(record.partition), int(record.step), int(record.minute))  # type: ignore[arg-type]  # pandas types cells as anything
        customer = str(record.customer)
        if record.kind == "erase":
            found += [ManualRecord(*step, customer, tag, None) for tag in of_customer.pop(customer, [])]
            continue
        where = f"control record, partition {record.partition}, step {record.step}"
        try:
            body = json.loads(str(record.body))
            tag, on, until = str(body["tag"]), body["on"], body.get("until")
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            hint = "write tag, on and until as JSON"
            raise InputError(where, f"unreadable body {record.body!r} ({error})", hint) from error
        setting = None if on is None else Manual(bool(on), None if until is None else int(until))
        found.append(ManualRecord(*step, customer, tag, setting))
        of_customer.setdefault(customer, []).append(tag)
    return found


def manual_at(records: list[ManualRecord], minute: int) -> dict[tuple[str, str], bool]:
    """Return what hands say at ``minute``: (customer, tag) to on or off; absent where nothing holds."""
    held: dict[tuple[str, str], Manual | None] = {}
    for record in records:
        if record.minute <= minute:
            held[record.customer, record.tag] = record.setting
    return {
        which: setting.on
        for which, setting in held.items()
        if setting is not None and (setting.until is None or minute < setting.until)
    }
