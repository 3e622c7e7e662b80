"""The page of ``tintype text``: how a template reads for real customers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from app.texts_read import Read

Called = Callable[[str], str]


def texts_table(rows: Sequence[Read], called: Called) -> Table:
    """Return a table of texts. called: a customer's reference by id."""
    sms = any(one.preview.sms is not None for one in rows)
    table = Table(box=None, pad_edge=False)
    for name in ("customer", "language", *(("encoding", "units", "parts") if sms else ()), "text"):
        table.add_column(name, overflow="fold", justify="right" if name in ("units", "parts") else "left")
    for one in rows:
        parts = one.preview.sms
        told: tuple[str | Text, ...] = ("", "", "") if sms else ()
        if parts is not None:
            several = "yellow" if parts.parts > 1 else ""
            told = parts.encoding, str(parts.units), Text(str(parts.parts), style=several)
        language = "" if one.preview.message is None else one.language
        table.add_row(called(one.customer), language, *told, _says(one))
    return table


def summary(rows: Sequence[Read], currency: str) -> str:
    """Return in one line how many would be sent, as how many messages, at what cost, and what is missing."""
    sent = [one for one in rows if one.preview.message is not None]
    told = [f"{len(sent)} of {len(rows)} would be sent"]
    parts = [one.preview.sms.parts for one in sent if one.preview.sms is not None]
    if parts:
        told[0] += f", as {sum(parts)} messages"
    costs = [one.cost for one in sent if one.cost is not None]
    if costs:
        told[0] += f" for {sum(costs, Decimal(0))} {currency}".rstrip()
    missing = Counter(one.preview.held_back for one in rows if one.preview.held_back is not None)
    told += [f"{number} held back: {reason}" for reason, number in missing.most_common()]
    return "; ".join(told)


def _says(one: Read) -> Text:
    message = one.preview.message
    if message is None:
        return Text(f"held back: {one.preview.held_back}", style="yellow")
    shown = "\n".join(part for part in (message.title, message.text, message.link) if part)
    return Text(shown)
