"""What it means when a provider's official client is missing, says no, or loses its connection."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from sinks.channels.outcome import Outcome, Refused, Unknown

# ``unknown``: the provider itself does not know whether the message is out
Verdict = Literal["retry", "give_up", "stop", "unknown"]
_NEVER_WRITTEN = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError")  # of urllib3
_OF_PYTHON = ("builtins", "socket", "ssl", "http.client")


class NotReady(Exception):
    """Nothing can be sent before somebody mends something; the text says what."""


@contextmanager
def installed(kind: str) -> Iterator[None]:
    """Turn a missing package into NotReady, with what to do."""
    try:
        yield
    except ImportError as error:
        raise NotReady(
            f"kind '{kind}' needs a package that is not installed ({error.name}): requirements/install.sh sms"
        ) from None


def secret(environment: Mapping[str, str], variable: str) -> str:
    """Return a secret from the environment. Raises NotReady where it is not there."""
    value = environment.get(variable, "")
    if not value:
        raise NotReady(f"the environment variable {variable} is not set")
    return value


def said_no(verdict: Verdict, code: str, reason: str, after: float | None = None) -> Outcome:
    """Return the outcome of a provider's own code."""
    if verdict == "unknown":
        return Unknown(f"{code}: {reason}")
    return Refused(verdict, code, reason or code, after)


def broke(error: BaseException) -> Refused | Unknown:
    """Return the outcome of a request that raised: certainly not written, or unknown.

    The reason holds nothing of the request: clients put its whole address, with number and values, in theirs.
    """
    chain = list(_chain(error))
    sockets = [one for one in chain if isinstance(one, OSError) and type(one).__module__ in _OF_PYTHON]
    told = sockets[-1] if sockets else None
    named = getattr(error, "code", None) or type(error).__name__
    reason = str(named) if told is None else f"{type(told).__name__}: {told}"
    return Refused("retry", "", reason) if any(map(_before_writing, chain)) else Unknown(reason)


def _before_writing(error: BaseException) -> bool:
    """A refused connection, an unknown name, no answer to the dialling, or a certificate of somebody else."""
    if isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return type(error).__name__ in _NEVER_WRITTEN


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return an error and what it came from; some clients keep that in attributes of their own."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        own = (getattr(one, name, None) for name in ("inner_exception", "reason"))
        inner = (one.__cause__, one.__context__, *own, *one.args)
        waiting += [found for found in inner if isinstance(found, BaseException)]
