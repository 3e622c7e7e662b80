"""Until when each source was heard of (semantics D4): what messages say, and what the log must be told."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contract.source import Source

MINUTE_MS = 60_000
ON_ARRIVAL = 1 << 62  # heard of by a message that does not say when it was written


class Freshness:
    """Notes what is heard of the sources that can be stale; one record a minute and source tells the log."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._watched = {name for name, source in sources.items() if source.stale_minutes}
        self._heard_ms: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def hear(self, source: str, written_ms: int | None) -> None:
        """Note a message of a source, written at ``written_ms`` (milliseconds since 1970; None: unknown).

        A message that lay in a queue says only that all before it is here: what was written after it is yet
        to come.
        """
        if source in self._watched:
            ms = ON_ARRIVAL if written_ms is None else written_ms
            if ms > self._heard_ms.get(source, 0):
                self._heard_ms[source] = ms

    def news(self, minute: int) -> dict[str, int]:
        """Return source -> minute until which it was heard of, for those the log must be told of."""
        heard = {name: min(ms // MINUTE_MS, minute) for name, ms in self._heard_ms.items()}
        return {name: until for name, until in heard.items() if until > self._written.get(name, 0)}

    def told(self, news: Mapping[str, int]) -> None:
        """The log holds these."""
        self._written.update(news)
        self._heard_ms.clear()
