"""Compare what a timeline expects with what the engine says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.documents.document import Place
from app.moments import write_moment
from app.timelines.timeline import Decided, Expect


def compare_customer(expect: Expect, profile: Mapping[str, Any] | None) -> Iterator[tuple[Place, str]]:
    """Yield (place, what differs) of tags, metrics and scores.

    profile: keys ``tags`` (names held), ``metrics`` (name to value), ``rfm`` (model to its values); None
    where the customer is not known yet, who then holds no tag.
    """
    held = set(profile["tags"]) if profile else set()
    for name in expect.tags:
        if name not in held:
            yield ("tags",), f"tag '{name}' is not held; held are: {_names(held)}"
    for name in expect.not_tags:
        if name in held:
            yield ("not_tags",), f"tag '{name}' is held"
    if profile is None:
        if expect.metrics or expect.rfm:
            yield (), "the customer is not known"
        return
    for name, value in expect.metrics.items():
        found = profile["metrics"].get(name)
        if found != value:
            yield ("metrics", name), f"{name} is {_value(found)}, expected {_value(value)}"
    for model, scores in expect.rfm.items():
        for field in sorted(scores.model_fields_set):
            value, found = getattr(scores, field), profile["rfm"][model].get(field)
            if found != value:
                text = f"{model}.{field} is {_value(found)}, expected {_value(value)}"
                yield ("rfm", model, field), text


def compare_decisions(
    expected: list[Decided],
    found: list[dict[str, Any]],
    default: str | None,
    minute_of: Callable[[str], int],
    zone: str,
) -> Iterator[str]:
    """Yield what differs between the expected decisions and all that were found, in order.

    default: the trigger meant where none is named; None means decisions of every trigger are compared.
    minute_of: reads an ``at`` as an epoch minute.
    """
    meant = {one.trigger or default for one in expected} or {default}
    if None not in meant:
        found = [one for one in found if one["trigger"] in meant]
    told = "; ".join(describe(one, zone) for one in found) or "none"
    if len(found) != len(expected):
        yield f"{len(expected)} decisions expected, found {len(found)}: {told}"
        return
    for number, (want, have) in enumerate(zip(expected, found, strict=True), start=1):
        trigger = want.trigger or default
        fits = have["outcome"] == want.outcome and (trigger is None or have["trigger"] == trigger)
        fits = fits and (want.guard is None or have.get("guard") == want.guard)
        fits = fits and (want.at is None or have["minute"] == minute_of(want.at))
        if not fits:
            yield f"decision {number} is: {describe(have, zone)}"


def describe(decision: Mapping[str, Any], zone: str) -> str:
    """Write one decision: when, which trigger, what became of it.

    >>> describe({"minute": 0, "trigger": "hello", "outcome": "refused", "guard": "consent"}, "UTC")
    '1970-01-01 00:00 hello refused (consent)'
    """
    refused = f" ({decision['guard']})" if decision.get("guard") else ""
    return f"{write_moment(decision['minute'], zone)} {decision['trigger']} {decision['outcome']}{refused}"


def _names(held: set[str]) -> str:
    return ", ".join(sorted(held)) or "none"


def _value(value: object) -> str:
    return "null" if value is None else str(value)
