"""What a source is: one table of the shop, where its rows come from and how they are read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.declare import Declared
from profiles.windows import parse_length

ColumnType = Literal["int", "decimal", "text", "bool", "time", "date"]
Wire = Literal[
    "text", "number", "base64",
    "epoch_days", "epoch_ms", "epoch_us", "epoch_ns",
    "ms_of_day", "us_of_day", "ns_of_day",
]  # fmt: skip
Rounding = Literal["half_even", "half_up", "down"]
CHANGE_FORMATS = ("debezium", "canal", "maxwell")
SEGMENT = "segment"
CALLS = ("identify", "track", "page", "screen", "group", "alias")
NEVER_STALE = "never"
FEED_STALE_AFTER = "5m"
_WIRE = "how a change message without a schema writes the value (docs/feeds.md)"


class Column(Declared):
    """One typed column.

    In the engine every value is a whole number: ``decimal`` in units of ``10**-scale`` (money in minor
    units), ``bool`` 0 or 1, ``time`` epoch minutes (UTC), ``date`` the minute of that local midnight in
    the shop's zone; ``text`` stays text.
    """

    type: ColumnType
    source_name: str | None = Field(
        default=None, alias="from", description="its name in the file; the column's own when absent"
    )
    product: list[str] | None = Field(
        default=None, description="the product of these file columns, such as quantity x price (decimal only)"
    )
    scale: int = Field(default=0, ge=0, le=6)
    currency: str | None = None
    format: str | None = Field(
        default=None, description="strptime form of a time or date; ISO 8601 when absent"
    )
    zone: str | None = Field(
        default=None, description="zone of times that carry none; the shop's when absent"
    )
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    allowed: list[str | int] | None = None
    attribute: str | None = Field(
        default=None, description="the customer attribute that the newest row's value becomes"
    )
    personal: bool = False
    wire: Wire | None = Field(default=None, description=_WIRE)
    wire_scale: int | None = Field(
        default=None, ge=0, le=38, description="decimal digits of a base64 decimal, as in the database's type"
    )
    round: Rounding | None = Field(
        default=None, description="how a floating-point number of a change message comes to the scale"
    )


class Reference(Declared):
    """A typed reference to a customer (semantics I1)."""

    type: str
    column: str = Field(description="column of the file")
    strong: bool = True


class Via(Declared):
    """The customer is that of a row of another source (semantics W8)."""

    source: str
    column: str = Field(description="column of the file that holds the other row's key")


class EventTime(Declared):
    """When a row happened: what a column says, or else when its parent's row did (semantics W8, R1)."""

    column: str | None = Field(default=None, description="column of the file")
    parent: bool = Field(
        default=False, description="dated by the row of another source that 'via' names, not by a column"
    )
    format: str | None = Field(
        default=None, description="strptime form, or epoch_s, epoch_ms, epoch_us; ISO 8601 when absent"
    )
    zone: str | None = Field(
        default=None, description="zone of times that carry none; the shop's when absent"
    )
    wire: Wire | None = Field(default=None, description=_WIRE)


class FileFormat(Declared):
    type: Literal[
        "auto", "csv", "excel", "parquet", "jsonl", "debezium", "canal", "maxwell", "segment"
    ] = "auto"
    table: str | None = Field(
        default=None, description="of change messages: the database's table; those of others are counted"
    )
    call: Literal["identify", "track", "page", "screen", "group", "alias"] | None = Field(
        default=None, description="of type segment: the type of calls that the source takes"
    )
    events: list[str] = Field(
        default=[], description="of type segment: names of events or pages; every one when absent"
    )
    encoding: str = "auto"
    separator: str = "auto"
    sheet: str | int | None = None


class Source(Declared):
    """One source. Exactly one of ``references`` and ``via`` says who the customer is.

    ``kind``: ``rows`` (the usual), ``tags`` (each row sets a manual tag: columns ``tag``, ``on``,
    ``until``) or ``consent`` (columns ``channel``, ``purpose``, ``granted``, ``until``).
    """

    name: str = ""
    title: str = ""
    kind: Literal["rows", "tags", "consent"] = "rows"
    format: FileFormat = FileFormat()
    key: list[str] = Field(min_length=1, description="file columns that identify a row")
    occurrence: bool = Field(default=False, description="the n-th equal key of a file is its own row (W4)")
    references: list[Reference] = []
    via: Via | None = None
    event_time: EventTime
    columns: dict[str, Column] = {}
    where: str | None = Field(
        default=None, description="a rule over columns; rows it is false for are not kept"
    )
    duplicate_horizon: str = "7d"
    max_future: str = "1d"
    stale_after: str | None = Field(
        default=None,
        description="absences of its rows wait when it was not heard of for longer, or 'never'; "
        "5m for change feeds when absent, never for others (D4)",
    )
    skip_without_customer: bool = Field(
        default=False, description="rows without any reference are counted and left out, not rejected"
    )

    @property
    def stale_minutes(self) -> int:
        """Minutes of silence after which the source is stale (semantics D4); 0: it never is."""
        is_feed = self.format.type in CHANGE_FORMATS
        length = self.stale_after or (FEED_STALE_AFTER if is_feed else NEVER_STALE)
        return 0 if length == NEVER_STALE else parse_length(length)
