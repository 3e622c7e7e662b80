"""A shop's dispatcher: its channels' providers as lanes, over the ledger."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from app.shop import Shop
from sinks.channels.courier import Courier, pace_of
from sinks.channels.kinds import make_provider
from sinks.channels.provider import Around, Receipt
from sinks.coupons.claims import Claims
from sinks.deliveries.delivery import Queued
from sinks.deliveries.dispatch import Behind, Dispatcher
from sinks.deliveries.gone import gone_since
from sinks.deliveries.lane import Carried, Lane, Surroundings
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.limits import Limits
from sinks.deliveries.over_caps import Caps
from sinks.deliveries.paces import Paces

Take = Callable[[str, Sequence[Receipt]], None]


def make_dispatcher(
    shop: Shop, around: Around, ledger: Ledger, courier: Courier, now: Callable[[], float] = time.time,
    told: Callable[[Carried], None] = lambda _: None, chance: random.Random | None = None,
    behind: Behind = lambda _channel, _address: (), heard: Callable[[], None] = lambda: None,
    prepare: Callable[[Sequence[Queued]], None] = lambda _: None, look: Callable[[], None] = lambda: None,
    form: str = "",
) -> Dispatcher:  # fmt: skip
    """Return a shop's dispatcher, not opened yet, with its limits filled from the ledger.

    around: what providers are given; `Around.receive` is each lane's own. told: gets what was carried out;
    prepare: gets the deliveries whose messages are about to be made; raises Away. look: of `Surroundings`;
    form: of `Claims`.
    """

    def pool_of(one: Queued) -> str:
        return courier.pool(one.decision)

    claims = Claims(ledger, shop.coupons, pool_of, shop.settings.zone, around.write, form)

    def make_ready(rows: Sequence[Queued], at: float) -> None:
        prepare(rows)
        claims.claim(rows, at)

    surroundings = Surroundings(
        ledger, lambda one: courier.make(one.decision, claims.of(one)),
        lambda one: courier.revoked(one.decision), now,
        chance or random.Random(), told, around.write, make_ready, look,  # noqa: S311 - jitter
        _paces(shop, ledger, now), Caps(partial(gone_since, ledger.rows)),
    )  # fmt: skip
    made: list[Dispatcher] = []

    def receive(name: str, receipts: Sequence[Receipt]) -> None:
        made[0].receive(name, receipts)

    channels = {name: _lanes(shop, name, surroundings, around, ledger, receive) for name in shop.channels}
    made.append(Dispatcher(surroundings, channels, behind, heard))
    return made[0]


async def send_beside(dispatcher: Dispatcher, works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Send, and do these works, until the dispatcher is stopped or one of them ends; then end the others, and
    close the providers. Raises what a work has raised."""
    tasks = [asyncio.create_task(one) for one in (dispatcher.run(), *works)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        dispatcher.stop()
        for task in tasks[1:]:  # where it is the dispatcher that has ended
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await dispatcher.close()


def _paces(shop: Shop, ledger: Ledger, now: Callable[[], float]) -> Paces:
    """Return the paces of a shop's triggers, with what was sent of late by the ledger."""
    paces = Paces({
        name: pace for name, trigger in shop.triggers.items() if (pace := pace_of(trigger)) is not None
    })  # fmt: skip
    if paces.longest:
        paces.fill(ledger.claims_since(now() - paces.longest))
    return paces


def places_of(shop: Shop) -> dict[str, int]:
    """Return the place of each provider (``channel/name``) among those of its channel."""
    return {
        f"{name}/{settings.called}": place for name, channel in shop.channels.items()
        for place, settings in enumerate(channel.providers)
    }  # fmt: skip


def _lanes(
    shop: Shop, channel: str, surroundings: Surroundings, around: Around, ledger: Ledger, receive: Take
) -> list[Lane]:
    declared, now = shop.channels[channel].providers, surroundings.now()
    whole = Limits(shop.channels[channel].limits)
    if whole.longest:
        names = [f"{channel}/{settings.called}" for settings in declared]
        whole.fill(heapq.merge(*(ledger.attempts_since(name, now - whole.longest) for name in names)))
    lanes = []
    for place, settings in enumerate(declared):
        name = f"{channel}/{settings.called}"
        limits = Limits(settings.limits, whole)
        if limits.longest:
            limits.fill(ledger.attempts_since(name, now - limits.longest))
        provider = make_provider(settings, replace(around, receive=partial(receive, name)))
        lanes.append(Lane(surroundings, channel, name, provider, limits, place, len(declared)))
    return lanes

