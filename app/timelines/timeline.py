"""What a timeline is: a tag's or trigger's test, with a virtual clock (docs/timelines.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from profiles.declare import Declared

Cell = str | int | bool | None
Row = dict[str, Cell]


class ManualTag(Declared):
    """A tag set or removed by hand (semantics G1). ``on`` absent removes the manual setting."""

    customer: str | None = Field(default=None, description="type:value; the case's customer when absent")
    tag: str
    on: bool | None = None
    until: str | None = Field(default=None, description="a moment, as in 'at'")


class Consent(Declared):
    """Consent given or withdrawn for one channel and purpose."""

    customer: str | None = Field(default=None, description="type:value; the case's customer when absent")
    channel: str
    purpose: str
    granted: bool
    until: str | None = Field(default=None, description="a moment, as in 'at'")


class Scores(Declared):
    """Expected values of one RFM model; only what is named is compared. Null is outside the population."""

    frequency: int | None = None
    monetary: int | None = None
    r: int | None = None
    f: int | None = None
    m: int | None = None
    score: int | None = None
    segment: str | None = None


class Decided(Declared):
    """One expected decision (semantics D2)."""

    outcome: Literal["act", "refused", "held", "contradicted"]
    guard: str | None = Field(default=None, description="the guard that refused")
    at: str | None = Field(default=None, description="the minute of the decision, as in 'at' of a step")
    trigger: str | None = Field(default=None, description="the file's own trigger when absent")


class Expect(Declared):
    """What holds at the end of a step; only what is named is compared.

    ``decisions`` are all decisions of the trigger for the customer since the step before, in order.
    """

    customer: str | None = Field(default=None, description="type:value; the case's customer when absent")
    tags: list[str] = Field(default=[], description="tags that are held")
    not_tags: list[str] = Field(default=[], description="tags that are not held")
    metrics: dict[str, Cell] = Field(default={}, description="metrics of metrics.yaml")
    rfm: dict[str, Scores] = Field(default={}, description="RFM model to its scores")
    decisions: list[Decided] | None = None


def _is_many(value: object) -> str:
    return "(many)" if isinstance(value, list) else "(one)"


# Told apart by what is written, so that an error is that of the one form that was meant.
OneOrMany = Annotated[
    Annotated[Expect, Tag("(one)")] | Annotated[list[Expect], Tag("(many)")], Discriminator(_is_many)
]


class Step(Declared):
    """What happens at one moment, in the order of the keys below, and what holds afterwards.

    ``at`` is ``+10m`` from the start of the case, or a local time such as ``2026-03-01 09:00``.
    """

    at: str = "+0m"
    manual: list[ManualTag] = []
    consent: list[Consent] = []
    insert: dict[str, list[Row]] = Field(default={}, description="source to new rows, columns as in the file")
    update: dict[str, list[Row]] = Field(default={}, description="source to rows that change")
    delete: dict[str, list[Row]] = Field(default={}, description="source to rows that go")
    expect: OneOrMany | None = None

    def expectations(self) -> list[Expect]:
        """Return what is expected at this step, as a list."""
        if self.expect is None:
            return []
        return self.expect if isinstance(self.expect, list) else [self.expect]


class Case(Declared):
    """One story: an empty shop, a virtual clock that begins at ``start``, and steps in order of time."""

    name: str
    start: str | None = Field(default=None, description="local time; the file's start when absent")
    customer: str | None = Field(default=None, description="type:value; the file's customer when absent")
    stale: list[str] = Field(default=[], description="sources of which nothing is heard (semantics D4)")
    steps: list[Step] = Field(min_length=1)


class Timeline(Declared):
    """One ``*.test.yaml`` file: cases in which a rule fires, and cases in which it does not."""

    start: str = Field(description="local time at which the virtual clock begins, such as 2026-03-01 09:00")
    customer: str | None = Field(default=None, description="type:value, such as member:M1")
    cases: list[Case] = Field(min_length=1)
