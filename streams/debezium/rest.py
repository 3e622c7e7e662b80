"""Kafka Connect's REST interface: one call, its answer as JSON, its refusals as errors with a hint."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from streams.errors import InputError

BUSY = (409, 500)  # with one of these in the words: workers distribute tasks, or have not read a change yet
PASSING = ("rebalance", "momentarily")
RETRY_S = 0.5


class NotThere(InputError):
    """What was asked for does not exist in Connect."""


class ConnectRest:
    """Connect's REST interface at ``url`` (such as http://localhost:8083)."""

    def __init__(self, url: str, timeout_s: float = 30.0) -> None:
        """Connect to nothing yet. Raises InputError where the URL is none."""
        if not url.startswith(("http://", "https://")):
            raise InputError("kafka.connect", f"'{url}' is no address", "write it as http://HOST:8083")
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s

    def call(self, method: str, *path: str, body: Any = None, query: str = "") -> Any:
        """Do one call and return the answer's JSON, None where it has no body.

        A refusal because workers are at something that passes is tried again until the time is up. Raises
        InputError where Connect does not answer or refuses, `NotThere` where it does not know what is named.
        """
        where = f"{self.url}/{'/'.join(quote(part, safe='') for part in path)}{query}"
        until = time.monotonic() + self._timeout_s
        while True:
            try:
                return self._once(method, where, body)
            except urllib.error.HTTPError as error:
                said = _message(error)
                passes = error.code in BUSY and any(one in said.lower() for one in PASSING)
                if not passes or time.monotonic() > until:
                    raise _refusal(where, error.code, said) from None
                time.sleep(RETRY_S)
            except (urllib.error.URLError, OSError) as error:
                raise self._silent(error) from None

    def clock(self) -> float | None:
        """Return what time it is there, in whole Unix seconds; None where the answer does not say."""
        try:
            with urllib.request.urlopen(self.url, timeout=self._timeout_s) as answer:  # noqa: S310 - http or https
                said = answer.headers.get("Date")
        except (urllib.error.URLError, OSError) as error:
            raise self._silent(error) from None
        return None if said is None else parsedate_to_datetime(said).timestamp()

    def _silent(self, error: OSError) -> InputError:
        reason = getattr(error, "reason", error)
        hint = "start it, or correct [kafka] connect"
        return InputError(self.url, f"Kafka Connect does not answer ({reason})", hint)

    def _once(self, method: str, where: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(where, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - http or https
        with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
            read = answer.read()
        return json.loads(read) if read else None


def _message(error: urllib.error.HTTPError) -> str:
    read = error.read()
    try:
        return str(json.loads(read)["message"])
    except (ValueError, KeyError, TypeError):
        return read.decode(errors="replace")[:500]


def _refusal(where: str, code: int, said: str) -> InputError:
    if code == 404:
        return NotThere(where, said, "tintype connectors SHOP list shows what there is")
    return InputError(where, f"Kafka Connect refuses ({code}): {said}", "correct it, and do it again")
