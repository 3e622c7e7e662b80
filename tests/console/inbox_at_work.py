"""A customer with an inbox, in a shop at work, and its events as a client of it reads them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx

from sinks.inbox.inbox import Inboxes
from sinks.inbox.message import Shown
from sinks.inbox.putting import Putting
from tests.console.at_work import AtWork

YEARS = 10 * 365 * 86_400  # the shop's clock stands still in the past, the store's own does not


def customer_of(shop: AtWork, reference: str) -> bytes:
    """Return a customer's id, 16 bytes."""
    return bytes.fromhex(shop.get(f"/v1/profiles/{reference}")["profile"]["id"])


def inboxes_of(shop: AtWork) -> Inboxes:
    settings = shop.opened.shop.settings
    return Inboxes(shop.opened.store.client, settings.name, settings.partitions)


def put(
    shop: AtWork, reference: str, number: int, keep: int = YEARS, after: float = 0.0, **more: Any
) -> str:
    """Put a message into a customer's inbox, so many seconds later than its number says; return its id."""
    settings, name = shop.opened.shop.settings, f"{number:032x}"
    texts = {"title": "谢谢", "text": f"第 {number} 条", "link": ""}
    shown = Shown(**{part: more.pop(part, text) for part, text in texts.items()}, trigger="hello")
    putting = Putting(settings.name, settings.partitions, keep_seconds=keep)
    now = shop.clock[0] + number + after
    inboxes_of(shop).put(customer_of(shop, reference), name, shown, now, putting=putting, **more)
    return name


@contextlib.contextmanager
def of_token(shop: AtWork, reference: str, **more: Any) -> Iterator[httpx.Client]:
    """Yield a client with a customer's token."""
    answer = shop.client.post(
        f"/v1/profiles/{reference}/messages:token", params=more, headers=bearing(shop, "inbox")
    )
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    with httpx.Client(base_url=shop.address, headers=headers, timeout=20) as client:
        yield client


def bearing(shop: AtWork, scope: str) -> dict[str, str]:
    """Return the header of a new key of a scope."""
    return {"Authorization": f"Bearer {shop.answering.keyring.add('of a test', [scope])}"}


@contextlib.contextmanager
def streamed(client: httpx.Client, path: str, last: str | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield the events of a stream: ``event``, ``id``, ``data``; comments as ``{"comment": ...}``."""
    headers = {"Accept": "text/event-stream", **({} if last is None else {"Last-Event-ID": last})}
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    one: dict[str, Any] = {}
    for line in lines:
        if line.startswith(":"):
            yield {"comment": line[1:].strip()}
        elif not line:
            if "data" in one:
                yield one
            one = {}
        else:
            name, _, value = line.partition(": ")
            one[name] = json.loads(value) if name == "data" else value
