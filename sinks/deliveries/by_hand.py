"""What a person may do with a delivery."""

from __future__ import annotations

from sinks.deliveries.life import Event, Impossible, State, after

BY_HAND = (Event.RESEND, Event.REPLAY, Event.SETTLE_DELIVERED, Event.SETTLE_FAILED)
AGAIN = (Event.RESEND, Event.REPLAY)  # what is queued once more


def check_by_hand(state: State, channel: str, reason: str, event: Event) -> None:
    """Raise Impossible where a delivery cannot take what a person does.

    channel: that it goes by, empty where its decision found none; reason: why it stands as it does.
    """
    if event not in BY_HAND:
        raise Impossible(f"'{event}' is nothing that a person does")
    after(state, event)
    if event is Event.RESEND and not channel:
        raise Impossible(f"a delivery without a channel cannot be sent again: {reason or 'it never had one'}")
