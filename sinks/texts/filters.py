"""What a text may do with a value: ``{{ value | filter(argument) }}``. Each filter is a function here."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from sinks.channels.message import HeldBack
from sinks.texts.forms import Style
from sinks.texts.manner import Manner

MANNER = ".manner"  # no name that a text can write
LAST_MINUTE = 4_000 * 365 * 1440  # about the year 5970, within what Python's dates hold in any zone
JOINERS = "\u200d\ufe0e\ufe0f"
SPACED = {0x202F: " ", 0x00A0: " ", 0x2009: " "}


@pass_context
def money(context: Context, value: object, currency: str = "") -> str:
    """Minor units as money: of the currency given, else of the shop's."""
    manner: Manner = context[MANNER]
    code = currency or manner.currency
    if not code:
        raise HeldBack("money has no currency: the shop's tintype.toml names none")
    amount = Decimal(_number(value, "money")).scaleb(-get_currency_precision(code))
    return _spaced(format_currency(amount, code, locale=manner.locale))


@pass_context
def number(context: Context, value: object, decimals: int = 0) -> str:
    """A whole number with the locale's separators; decimals: of its digits, those behind the point."""
    given = Decimal(_number(value, "number")).scaleb(-decimals)
    form = "#,##0" + ("." + "0" * decimals if decimals else "")
    return _spaced(format_decimal(given, form, locale=context[MANNER].locale))


@pass_context
def percent(context: Context, value: object, decimals: int = 0) -> str:
    """Whole per cent; with decimals, its last digits stand behind the point."""
    given = Decimal(_number(value, "percent")).scaleb(-decimals - 2)
    form = "#,##0" + ("." + "0" * decimals if decimals else "") + "%"
    return _spaced(format_percent(given, form, locale=context[MANNER].locale))


@pass_context
def date(context: Context, value: object, style: Style = "medium") -> str:
    """The shop's day at an epoch minute."""
    manner: Manner = context[MANNER]
    day = _moment(value, "date").astimezone(manner.shop_zone).date()
    return _spaced(format_date(day, style, locale=manner.locale))


@pass_context
def time(context: Context, value: object) -> str:
    """The time of day at an epoch minute, where the customer is."""
    manner: Manner = context[MANNER]
    local = _moment(value, "time").astimezone(manner.zone)
    return _spaced(format_time(local.time(), "short", locale=manner.locale))


@pass_context
def datetime_(context: Context, value: object, style: Style = "medium") -> str:
    """Day and time of day at an epoch minute, where the customer is."""
    manner: Manner = context[MANNER]
    local = _moment(value, "datetime").astimezone(manner.zone)
    day = format_date(local.date(), style, locale=manner.locale)
    hour = format_time(local.time(), "short", locale=manner.locale)
    form = str(get_datetime_format("medium", locale=manner.locale)).replace("'", "")
    return _spaced(form.replace("{0}", hour).replace("{1}", day))


def truncate(value: object, limit: int) -> str:
    """At most so many characters; where some are left out the last one is an ellipsis.

    >>> truncate("running shoes", 8), truncate("shoes", 8)
    ('running…', 'shoes')
    """
    text = str(value)
    if len(text) <= limit:
        return text
    end = limit - 1
    while end and (_belongs_to_what_precedes(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end].rstrip() + "…"


def default(value: object, fallback: object) -> object:
    """The fallback, where nothing is known."""
    return fallback if isinstance(value, Undefined) else value


@pass_context
def plural(context: Context, value: object, one: str, other: str) -> str:
    """The word that goes with a number: in English ``one`` with 1, in Chinese always ``other``."""
    given = _number(value, "plural")
    return one if context[MANNER].locale.plural_form(abs(given)) == "one" else other


def _number(value: object, name: str) -> int:
    if isinstance(value, Undefined):
        str(value)  # raises, and names what is not known
    if not isinstance(value, int):
        raise HeldBack(f"{name} takes a whole number, and was given a text")
    return value


def _moment(value: object, name: str) -> datetime:
    minute = _number(value, name)
    if not -LAST_MINUTE // 4 < minute < LAST_MINUTE:
        raise HeldBack(f"{name} takes a date or time, and {minute} is none")
    return datetime.fromtimestamp(minute * 60, UTC)


def _spaced(text: str) -> str:
    """Locales part by narrow and unbreakable blanks, which no plain SMS can carry: ordinary ones do."""
    return text.translate(SPACED)


def _belongs_to_what_precedes(sign: str) -> bool:
    """Combining marks, joiners, selectors and skin tones are no characters of their own."""
    return sign in JOINERS or unicodedata.combining(sign) > 0 or "\U0001f3fb" <= sign <= "\U0001f3ff"
