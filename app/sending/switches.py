"""The names of switches, as people write them and as the log has them."""

from __future__ import annotations

from collections.abc import Collection

from app.sending.revocations import EVERYTHING
from app.shop import Shop
from rules.suggest import suggest
from streams.errors import InputError

ALL = "everything"  # what people write
HINT = f"write {ALL}, channel/NAME or trigger/NAME"


def name_in_log(shop: Shop, what: str) -> str:
    """Return a switch's name in the log. Raises InputError where the shop has nothing of that name."""
    if what == ALL:
        return EVERYTHING
    kind, _, name = what.partition("/")
    known = list(shop.channels if kind == "channel" else shop.triggers)
    if kind not in ("channel", "trigger"):
        raise InputError(what, "names nothing that can be switched", HINT)
    if name not in known:
        raise InputError(what, f"there is no {kind} '{name}'", suggest(name, known, kind))
    return what


def refuse_to_pause(what: str, off: Collection[str]) -> None:
    """Raise InputError where what is to be paused (its name in the log) is switched off: nothing waits."""
    if what in off:
        hint = "let it go on first, then pause it"
        raise InputError(name_for_people(what), "is switched off: what waited is held back", hint)


def name_for_people(what: str) -> str:
    """Return a switch's name as people write it."""
    return what or ALL
