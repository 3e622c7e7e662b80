"""Decimals as connectors write them: bytes in base64, structs with a scale, floating-point digits."""

from __future__ import annotations

import base64
import binascii
import decimal
from typing import Any

from streams.cdc.reading import shown
from streams.contract.numbers import Exact, ValueProblem, parse_number, plain
from streams.contract.source import Rounding

_MOST_BYTES = 32  # 256 bits; a longer number is none of a shop, and costs time
_MOST_PLACES = 60
_ROUNDINGS = {
    "half_even": decimal.ROUND_HALF_EVEN,
    "half_up": decimal.ROUND_HALF_UP,
    "down": decimal.ROUND_DOWN,
}
_EXACT = decimal.Context(prec=120)
WIRE_HINT = "declare wire: text, or wire: base64 with wire_scale; or set decimal.handling.mode=string"


def from_base64(text: str, scale: int) -> str:
    """Return the decimal of a two's complement whole number, most significant byte first.

    Kafka Connect: ``Decimal`` holds the unscaled value; the scale stands in the schema. Raises ValueProblem.

    >>> from_base64("EtaH", 4)
    '123.4567'
    """
    raw = bytes_of(text)
    if not raw:
        raise ValueProblem("an empty decimal", "check the connector")
    if len(raw) > _MOST_BYTES:
        raise ValueProblem(f"a decimal of {len(raw)} bytes", "check the column")
    return _written(int.from_bytes(raw, "big", signed=True), scale)


def bytes_of(text: str) -> bytes:
    """Return the bytes that base64 text stands for. Raises ValueProblem."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueProblem(f"{shown(text)} is no base64", "check the connector's converter") from None


def _written(unscaled: int, scale: int) -> str:
    if not -_MOST_PLACES <= scale <= _MOST_PLACES:
        raise ValueProblem(f"a decimal of scale {scale}", "check the column")
    return plain(Exact(unscaled, scale))


def from_struct(value: Any) -> str:
    """Return the decimal of ``io.debezium.data.VariableScaleDecimal``. Raises ValueProblem."""
    if isinstance(value, dict):
        scale, unscaled = value.get("scale"), value.get("value")
        if type(scale) is int and isinstance(unscaled, str):
            return from_base64(unscaled, scale)
    raise ValueProblem(f"{shown(value)} is no decimal with a scale", "check the connector")


def from_digits(digits: str) -> str:
    """Return a JSON number that is declared to be exact, in digits. Raises ValueProblem.

    >>> from_digits("1.50E2")
    '150'
    """
    number = parse_number(digits)
    return _written(number.digits, number.places)


def rounded(digits: str, scale: int, rounding: Rounding) -> str:
    """Return a floating-point number's digits, rounded to the scale. Raises ValueProblem.

    >>> rounded("3.140000104904175", 2, "half_even")
    '3.14'
    """
    number = parse_number(digits)
    if abs(number.places) > 2 * _MOST_PLACES and number.digits:
        raise ValueProblem(f"{shown(digits)} is out of reach", "check the number")
    exact = decimal.Decimal(number.digits).scaleb(-number.places, _EXACT)
    try:
        return f"{exact.quantize(decimal.Decimal(1).scaleb(-scale), _ROUNDINGS[rounding], _EXACT):f}"
    except decimal.InvalidOperation:
        raise ValueProblem(f"{shown(digits)} is out of reach", "check the number") from None
