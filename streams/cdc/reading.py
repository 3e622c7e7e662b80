"""JSON of change messages, numbers with the digits they came with."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from streams.cdc.change import Refused

# A number with a fraction or an exponent becomes the bytes of its digits: nothing else in JSON becomes
# bytes, so that type tells it apart, and no digit is lost to a float.
digits = str.encode

_tree = msgspec.json.Decoder(float_hook=digits)


def read_tree(message: bytes | msgspec.Raw) -> Any:
    """Return the message's JSON. Raises Refused."""
    try:
        return _tree.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error) from None


def malformed(error: Exception) -> Refused:
    """Return the refusal for what msgspec raised."""
    if isinstance(error, RecursionError):
        return Refused("the message is nested too deeply", "check who wrote it")
    if isinstance(error, msgspec.ValidationError):
        return Refused(f"the message has not the form of its kind ({error})", "check the connector")
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        return Refused(f"the message is not UTF-8 (hex {byte:02x})", "the converter must write UTF-8")
    return Refused(f"the message is no JSON ({error})", "check the converter: it must write JSON")


def compact(value: Any) -> str:
    """Write a value as JSON without spaces, numbers with the digits they came with.

    >>> compact({"a": [1, b"2.50", None]})
    '{"a":[1,2.50,null]}'
    """
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(name)}:{compact(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> str:
    """Return a value as a message may show it: in short."""
    text = compact(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
