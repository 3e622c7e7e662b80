"""What providers' callbacks have in common: whose they are, and what they are written in."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from streams.errors import InputError

_HINT = "check what the address is called by"
_BEIJING = timezone(timedelta(hours=8))  # China keeps one time, without summer time


class NotSigned(Exception):
    """A callback that cannot be shown to come from the provider: it must not be read."""


def check_token(url: str, variable: str, environment: Mapping[str, str]) -> None:
    """Check the token in a callback's address, for a provider that signs nothing. Raises NotSigned.

    url: as the provider called it, with ``?token=...``. variable: names the token in the environment; without
    one nothing is taken.
    """
    wanted = environment.get(variable, "") if variable else ""
    given = parse_qs(urlsplit(url).query).get("token", [""])[0]
    if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise NotSigned("the address has not the token that the provider was told")


def documents(body: bytes, kind: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a body that holds a list of them, or one. Raises InputError."""
    try:
        found = json.loads(body)
    except ValueError as error:  # also bytes that are no UTF-8
        raise InputError(kind, f"the callback is no JSON ({error})", _HINT) from None
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in listed):
        raise InputError(kind, "the callback is no list of objects", _HINT)
    return listed


def is_message_id(written: str) -> bool:
    """Tell whether a callback gives a message's own id back."""
    return re.fullmatch(r"[0-9a-f]{32}", written) is not None


def text(document: Mapping[str, Any], name: str) -> str:
    """Return a field as text; empty where it is missing."""
    value = document.get(name)
    return "" if value is None else str(value)


def beijing_seconds(written: str) -> float | None:
    """Return seconds since 1970 of a time of Chinese providers; None where it is none.

    >>> beijing_seconds("2017-01-01 08:00:00"), beijing_seconds("soon")
    (1483228800.0, None)
    """
    try:
        return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING).timestamp()
    except ValueError:
        return None
