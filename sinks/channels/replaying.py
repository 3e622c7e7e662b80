"""Whether what a channel has sent may be sent again."""

from __future__ import annotations

from collections.abc import Mapping

from rules.suggest import suggest
from sinks.channels.channel import Channel


def why_not(channels: Mapping[str, Channel], name: str) -> tuple[str, str] | None:
    """Return why nothing of a channel may be replayed, and what to do; None where it may.

    A replay is for receivers that know a message by its id, and have lost it. Whom a channel reaches
    otherwise, a person, would get it twice.
    """
    able = sorted(one for one, channel in channels.items() if channel.replays)
    if name in able:
        return None
    hint = f"those that can: {', '.join(able)}" if able else "no channel of this shop has webhooks alone"
    if name not in channels:
        return f"there is no channel '{name}'", suggest(name, sorted(channels), "channel")
    return f"what channel '{name}' has sent is not sent again: only webhooks are known by their id", hint
