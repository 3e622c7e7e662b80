"""Who may do what: every path under /v1 asks for a key of a scope.

These are coroutines although they wait for nothing: FastAPI calls what is none in a thread, which costs more
than all that they do.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from console.keys import Key
from console.problems import Problem, refuse
from console.serving import serving_of

SCHEMES: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer", "description": "a key of `tintype keys`"},
    "writeKey": {
        "type": "http", "scheme": "basic",
        "description": "the key as user name with an empty password, as trackers send it",
    },
    "keyInQuery": {
        "type": "apiKey", "in": "query", "name": "key",
        "description": "for senders that cannot set a header, such as Debezium Server",
    },
    "inboxToken": {
        "type": "http", "scheme": "bearer",
        "description": "a customer's token, for their own inbox: POST /v1/profiles/{id}/messages:token",
    },
}  # fmt: skip
BEARER: dict[str, Any] = {"security": [{"key": []}]}
TRACKER: dict[str, Any] = {"security": [{"writeKey": []}, {"key": []}]}
SENDER: dict[str, Any] = {"security": [{"key": []}, {"writeKey": []}, {"keyInQuery": []}]}


async def reads(request: Request) -> Key:
    """Let those with scope read pass. Raises Problem."""
    return check(request, "read", given_key(request))


async def writes(request: Request) -> Key:
    """Let those with scope write pass; their key may also stand in the query. Raises Problem."""
    return check(request, "write", given_key(request) or request.query_params.get("key"))


async def acts_by_hand(request: Request) -> Key:
    """Let those with scopes read and write pass, the key in the header: they decide what is sent and what is
    not. Write alone is not enough, which trackers have, on customers' pages. Raises Problem."""
    check(request, "read", given_key(request))
    return check(request, "write", given_key(request))


async def sees_switches(request: Request) -> Key:
    """Let those with scope read pass, and those with scope stop: they see what they stop. Raises Problem."""
    given = given_key(request)
    key = _known(request, "read or stop", given)
    return key if "stop" in key.scopes else check(request, "read", given)


async def stops(request: Request) -> Key:
    """Let those who act by hand pass, and those with scope stop: they stop and pause, and `check_lets_go_on`
    asks for more. Raises Problem."""
    given = given_key(request)
    key = _known(request, "stop", given)
    return key if _acts_by_hand(key) else check(request, "stop", given)


def check_lets_go_on(key: Key) -> None:
    """Return where a key that may stop may also let go on. Raises Problem."""
    if not _acts_by_hand(key):
        hint = "a key of scopes read and write does: tintype keys SHOP add NAME --scope read --scope write"
        refuse("scope-missing", f"key {key.id} may stop and pause, not let go on", hint)


async def may_see_persons(key: Annotated[Key, Depends(reads)]) -> bool:
    """Say whether the request's key, which may read, may see what is personal too."""
    return "personal" in key.scopes


async def handles_persons(request: Request) -> Key:
    """Let those with scope personal pass: they see what is personal, export and erase. Raises Problem."""
    return check(request, "personal", given_key(request))


async def makes_tokens(request: Request) -> Key:
    """Let those with scope inbox pass: they make tokens for customers' inboxes. Raises Problem."""
    return check(request, "inbox", given_key(request))


def may_go_on(request: Request) -> Callable[[], bool]:
    """Return what says whether the request's key may still read: a stream outlives a key that is revoked."""
    given, keyring = given_key(request) or "", serving_of(request).keyring

    def allowed() -> bool:
        key = keyring.find(given)
        return key is not None and "read" in key.scopes

    return allowed


def given_key(request: Request) -> str | None:
    """Return the key of the header Authorization, Bearer or Basic (as user name), or None."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        refuse("key-unknown", "Authorization is no Basic of RFC 7617", "base64 of the key and a colon")


def check(request: Request, scope: str, given: str | None) -> Key:
    """Return the key if it is known and has the scope. Raises Problem."""
    key = _known(request, scope, given)
    if scope not in key.scopes:
        told = " and ".join(key.scopes)
        hint = f"make one: tintype keys SHOP add NAME --scope {scope}"
        refuse("scope-missing", f"key {key.id} may {told}, not {scope}", hint)
    return key


def _known(request: Request, scope: str, given: str | None) -> Key:
    """Return a key if it is known; scope: what is asked for. Raises Problem."""
    if given is None:
        hint = "send 'Authorization: Bearer KEY'; keys are made by 'tintype keys SHOP add'"
        raise Problem("key-missing", f"{request.url.path} needs a key of scope {scope}", hint)
    key = serving_of(request).keyring.find(given)
    if key is None:
        refuse("key-unknown", "no such key", "see the keys: tintype keys SHOP list")
    return key


def _acts_by_hand(key: Key) -> bool:
    return {"read", "write"} <= set(key.scopes)
