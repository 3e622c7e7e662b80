"""A pool of codes as ``coupons.yaml`` declares it, and until when a code of it is good."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from profiles.declare import Declared
from sinks.texts.kinds import MOMENT, TEXT, Kind

CODE, EXPIRES, VALUE = "coupon", "coupon_expires", "coupon_value"
SAID: dict[str, Kind] = {CODE: TEXT, EXPIRES: MOMENT, VALUE: TEXT}  # what a template may say of a coupon
_DAYS = re.compile(r"([1-9]\d{0,3})d")


class Redeemed(Declared):
    """Rows that tell of codes being redeemed."""

    source: str
    code: str = Field(description="its column of type text that holds the code")


class Pool(Declared):
    """A pool of codes. Each is claimed by one decision, in the order in which they were loaded."""

    title: str = Field(default="", description="for people")
    value: str = Field(default="", description="what a code is worth, as messages say it: {{ coupon_value }}")
    expires: str = Field(
        default="",
        description="the last day of its codes (2026-12-31), or days from the claim (30d); never when empty",
    )
    per_customer: int | None = Field(
        default=None, ge=1, description="the most codes that one customer ever gets; any number when absent"
    )
    warn_below: int = Field(default=0, ge=0, description="say so once fewer codes than this are left")
    redeemed: Redeemed | None = None

    @field_validator("expires")
    @classmethod
    def _is_end(cls, text: str) -> str:
        if text and not _DAYS.fullmatch(text) and _day_of(text) is None:
            raise ValueError(
                f"'{text}' is neither a day nor a number of days; write 2026-12-31, or 30d from the claim"
            )
        return text

    def said(self) -> dict[str, Kind]:
        """Return what a template may say of this pool's codes."""
        lacks = {EXPIRES: not self.expires, VALUE: not self.value}
        return {name: kind for name, kind in SAID.items() if not lacks.get(name)}


def last_minute(expires: str, claimed: float, zone: str) -> int | None:
    """Return the last minute (UTC, since 1970) at which a code is good: the end of a day of the shop's zone;
    None where there is no end. claimed: seconds since 1970.

    >>> last_minute("1d", 0.0, "Europe/London") // 1440, last_minute("", 0.0, "UTC")
    (1, None)
    """
    if not expires:
        return None
    where = ZoneInfo(zone)
    day = _day_of(expires)
    if day is None:
        day = datetime.fromtimestamp(claimed, where).date() + timedelta(days=int(expires[:-1]))
    following = day + timedelta(days=1)
    return int(datetime(following.year, following.month, following.day, tzinfo=where).timestamp() // 60) - 1


def is_over(expires: str, now: float, zone: str) -> bool:
    """Say whether codes of a fixed last day are over. now: seconds since 1970."""
    if _day_of(expires) is None:
        return False
    end = last_minute(expires, now, zone)
    return end is not None and now >= (end + 1) * 60


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
