"""Guards that a shop has for all its marketing triggers: ``[guards]`` of tintype.toml (semantics D5)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.declare import Declared


class QuietHours(Declared):
    """Local times in which nobody is written to."""

    from_: str = Field(alias="from", description="HH:MM, the first quiet minute")
    until: str = Field(description="HH:MM, the first minute that is not; before `from`: of the next day")
    then: Literal["hold", "drop"] = Field(
        default="hold", description="hold: decide again at their end; drop: refuse"
    )


class Cap(Declared):
    """At most so many decisions to act for a customer in any stretch of this length."""

    most: int = Field(ge=1, le=64)
    within: str = Field(description="length, such as 1d")
    channels: list[str] = Field(default=[], description="counted by it; all when empty")
    triggers: list[str] = Field(default=[], description="counted by it; all when empty")


class ShopGuards(Declared):
    """What stands against every trigger of purpose marketing."""

    hold_out: int = Field(default=0, ge=0, le=99, description="percent of customers who are never written to")
    salt: str = Field(default="", description="another text holds out other customers, here and in triggers")
    quiet_hours: QuietHours | None = None
    zone: str = Field(
        default="", description="attribute that holds a customer's time zone, such as customer.zone"
    )
    zones: list[str] = Field(
        default=[], description="the time zones that customers have; in others the shop's own counts"
    )
    caps: dict[str, Cap] = Field(default={}, description="name to cap")
