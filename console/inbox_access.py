"""Whose inbox a request may open: a key of the right scope any, a customer's token its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request

from console.access import check, given_key
from console.api.profiles import find_soon
from console.problems import Problem, refuse
from console.serving import serving_of
from console.tokens import PREFIX, NoToken, Over, Tokens

ME = "me"  # in the path: the token's own customer
INBOX: dict[str, Any] = {"security": [{"key": []}, {"inboxToken": []}]}


@dataclass(frozen=True)
class Opened:
    """customer: id of 16 bytes; sees: whether its holder may see the texts; until: when a token ends, in
    seconds since 1970; None for keys."""

    customer: bytes
    sees: bool
    until: float | None


async def opened(request: Request, customer: str, scope: Literal["read", "write"]) -> Opened:
    """Return what the request's key or token opens. Raises Problem."""
    given = given_key(request)
    if given is not None and given.startswith(PREFIX):
        return _own(request, customer, given)
    key = check(request, scope, given)
    if customer == ME:
        refuse("unknown-customer", f"'{ME}' is whose token it is, and this is a key", "name the customer")
    identity = await find_soon(serving_of(request), customer)
    return Opened(identity, "personal" in key.scopes, None)


def _own(request: Request, customer: str, given: str) -> Opened:
    tokens: Tokens = request.app.state.tokens
    try:
        bearer = tokens.read(given, serving_of(request).now())
    except Over as error:
        hint = "let the shop's server make another: POST /v1/profiles/{id}/messages:token"
        raise Problem("token-over", str(error), hint) from None
    except NoToken as error:
        hint = "let the shop's server make one: POST /v1/profiles/{id}/messages:token"
        raise Problem("key-unknown", str(error), hint) from None
    if customer not in (ME, bearer.customer.hex()):
        refuse("scope-missing", "a token opens its own customer's inbox only", f"write {ME} for the customer")
    return Opened(bearer.customer, True, bearer.until)
