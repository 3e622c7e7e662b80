"""What is kept of a customer in the store: items of interest, the newest first, and consents."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sinks.recommendations.declaration import BOUGHT

RECENT = 200  # touches that say what a customer is interested in: fewer find less (decision 0026)


class Touch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An item by what the customer did with it. kind: place in the declared interests; act: of that kind;
    times: how many rows; last: epoch minute of the newest."""

    item: str
    kind: int
    act: str
    times: int
    last: int


class Consent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A consent that is granted. name: channel/purpose; until: epoch minute of its end, None for none."""

    name: str
    until: int | None = None


class Customer(msgspec.Struct, array_like=True, frozen=True):
    """touches: the newest first."""

    touches: Sequence[Touch] = ()
    consents: Sequence[Consent] = ()

    def packed(self) -> bytes:
        """Return it as bytes."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def unpacked(cls, packed: bytes | None) -> Customer:
        """Return what `packed` packed; of None, a customer of whom nothing is known."""
        return NOBODY if packed is None else _DECODER.decode(packed)


_DECODER = msgspec.msgpack.Decoder(Customer)
NOBODY = Customer()


def kept(touches: Sequence[Touch], bought_since: int | None) -> list[Touch]:
    """Return what is kept of a customer's touches: the newest, and all that was bought since a minute.

    >>> [one.item for one in kept([Touch("a", 0, "viewed", 1, 5), Touch("b", 0, "viewed", 2, 7)], None)]
    ['b', 'a']
    """
    ordered = sorted(touches, key=lambda one: (-one.last, one.item, one.kind))
    if bought_since is None:
        return ordered[:RECENT]
    return ordered[:RECENT] + [
        one for one in ordered[RECENT:] if one.act == BOUGHT and one.last >= bought_since
    ]
