"""How numbers and moments are written for one customer: language, locale, zones, currency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.core import get_global


@dataclass(frozen=True)
class Manner:
    """shop_zone: the shop's, which dates are days of; zone: the customer's if it is known, or the shop's."""

    language: str
    locale: Locale
    currency: str
    shop_zone: ZoneInfo
    zone: ZoneInfo


@lru_cache(maxsize=1024)
def manner_of(language: str, currency: str, shop_zone: str, zone: str = "") -> Manner:
    """Return the manner of a language in a shop's zone. zone: the customer's; an unknown one is the shop's.

    The country of the shop's zone chooses among the language's habits, so that a shop in London writes
    2 March and one in New York March 2.

    >>> [str(manner_of("en", "", zone).locale) for zone in ("Europe/London", "Asia/Shanghai")]
    ['en_GB', 'en']
    """
    here = ZoneInfo(shop_zone)
    return Manner(language, _locale(language, shop_zone), currency, here, _zone(zone) or here)


def _locale(language: str, zone: str) -> Locale:
    country = get_global("zone_territories").get(zone)
    if country:
        try:
            found = Locale.parse(f"{language}_{country}")
            if found.territory == country:
                return found
        except UnknownLocaleError:
            pass
    return Locale.parse(language)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a value of a customer may be any text
        return None
