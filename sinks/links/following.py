"""Following a short link: where it leads, and that it was followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.outcome import Decision
from sinks.channels.message import HeldBack
from sinks.coupons.claims import held
from sinks.coupons.coupon import Coupon
from sinks.deliveries.clicks import begun_by
from sinks.deliveries.ledger import Ledger
from sinks.links.code import begins, meant


class Following:
    """One shop's, in one thread. leads_to: where the link of a decision's message leads, which may say its
    code; note: a click on a delivery (its number, seconds since 1970), which is lost where that cannot be
    written down: whoever clicked is led on all the same; formers: (key, name) of shops whose deliveries were
    carried over."""

    def __init__(
        self, ledger: Ledger, leads_to: Callable[[Decision, Coupon | None], str | None], key: bytes,
        shop: str, note: Callable[[int, float], None], formers: Sequence[tuple[bytes, str]] = (),
    ) -> None:  # fmt: skip
        self._ledger, self._leads_to, self._note = ledger, leads_to, note
        self._signers = [(key, shop), *formers]

    def follow(self, code: str, now: float | None) -> str | None:
        """Return where a code leads; None for one that leads nowhere (any more).

        now: seconds since 1970, by which the click is noted; None where nobody has clicked.
        """
        start = begins(code)
        if start is None:
            return None
        found = {one.id: (number, one) for number, one in begun_by(self._ledger, start)}
        every = (meant(key, shop, code, found) for key, shop in self._signers)
        delivery = next((one for one in every if one is not None), None)
        if delivery is None:
            return None
        number, decision = found[delivery]
        try:
            target = self._leads_to(decision, held(self._ledger, [number]).get(number))
        except HeldBack:  # a value of it is gone: the customer is erased, or settings ask for another
            return None
        if target is None or not target.isprintable():
            return None
        if now is not None:
            self._note(number, now)
        return target
