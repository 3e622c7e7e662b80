"""Rolling limits, exact: no stretch of a limit's length has more messages than it says."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from sinks.channels.settings import ChannelLimit, Limit

_SWEEP = 1024  # keys, before those whose window is empty are looked for
_WHOLE = ("provider", "channel")
_OF_WHOLE = 0  # the one key of a limit of the whole


class Window:
    """The times of the last messages of one key: at most as many as the limit allows, 8 bytes each."""

    __slots__ = ("_at", "_most", "_promised", "_seconds", "_times")

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._times = array("d")
        self._at = 0  # where the oldest stands once the ring is full
        self._promised = 0.0

    def room(self, now: float, wanted: int) -> int:
        """Return how many more may go at once, counted up to ``wanted``."""
        room = self._most - len(self._times)
        held = len(self._times)
        left = 0
        while room + left < wanted and left < held and self._oldest(left) + self._seconds <= now:
            left += 1
        return min(room + left, wanted)

    def free_at(self, now: float) -> float:
        """Return when one more may go: ``now``, or later."""
        if len(self._times) < self._most:
            return now
        return max(now, self._oldest(0) + self._seconds)

    def take(self, at: float) -> None:
        """Count one more. Times never run back (a clock set back counts as standing)."""
        at = max(at, self.newest)
        if len(self._times) < self._most:
            self._times.append(at)
        else:
            self._times[self._at] = at
            self._at = (self._at + 1) % self._most

    def promise(self, now: float) -> float:
        """Return a time to try again; the next who asks gets a later one, at the limit's own rate. So those
        who wait do not all come back at once, only to be put off again."""
        self._promised = max(self.free_at(now), self._promised + self._seconds / self._most)
        return self._promised

    @property
    def newest(self) -> float:
        """The time of the newest, minus infinity when there is none."""
        return self._times[self._at - 1] if self._times else float("-inf")

    def is_over(self, now: float) -> bool:
        """Whether it says no more than a new window would."""
        return self.newest + self._seconds <= now and self._promised <= now

    def _oldest(self, number: int) -> float:
        return self._times[(self._at + number) % len(self._times)]


class Limits:
    """The limits of one provider, or of a channel.

    ``template`` and ``address`` are keys; the address is told by the customer's id, so that the limits can be
    filled again from a ledger that holds no addresses. Kept is a hash of them, 64 bits, and of what has come
    once its time alone: a hundred bytes for each, which is what a limit of a day costs whoever writes to a
    million customers. beside: limits that count what passes here too, and what passes elsewhere: those of the
    channel. They are filled by themselves.
    """

    def __init__(self, declared: Sequence[Limit | ChannelLimit], beside: Limits | None = None) -> None:
        self._beside = beside
        self._rules = [(one, float(one.seconds)) for one in declared]
        self._held: list[dict[int, float | Window]] = [{} for _ in declared]
        self._sweep_at = [_SWEEP] * len(declared)

    @property
    def longest(self) -> float:
        """The longest length of its own in seconds; 0 without limits."""
        return max((seconds for _, seconds in self._rules), default=0.0)

    def fill(self, attempts: Iterable[tuple[float, str, str]]) -> None:
        """Count former attempts: (time, template, address), in order of time."""
        for at, template, address in attempts:
            self._count(self._keys(template, address), at)

    def room(self, now: float, most: int) -> int:
        """Return how many messages the whole may get now, up to ``most``."""
        for number, (rule, _) in enumerate(self._rules):
            if rule.each in _WHOLE and (window := self._window(number, _OF_WHOLE)) is not None:
                most = window.room(now, most)
            elif rule.each in _WHOLE:
                most = min(most, rule.most)
        return most if self._beside is None else self._beside.room(now, most)

    def free_at(self, now: float) -> float:
        """Return when the whole may get another message."""
        free = now if self._beside is None else self._beside.free_at(now)
        for number, (rule, _) in enumerate(self._rules):
            if rule.each in _WHOLE and (window := self._window(number, _OF_WHOLE)) is not None:
                free = max(free, window.free_at(now))
        return free

    def admit(self, template: str, address: str, now: float) -> float | None:
        """Count one message and return None if it may go now; else return when to try again."""
        under = [self] if self._beside is None else [self, self._beside]
        keys = [one._keys(template, address) for one in under]
        full = [
            window
            for one, its in zip(under, keys, strict=True)
            for number, key in enumerate(its)
            if (window := one._window(number, key)) is not None and window.free_at(now) > now
        ]
        if full:
            return max(one.promise(now) for one in full)
        for one, its in zip(under, keys, strict=True):
            one._count(its, now)
        return None

    @property
    def keys(self) -> int:
        """How many windows are held."""
        return sum(len(one) for one in self._held)

    def _keys(self, template: str, address: str) -> list[int]:
        """Return for each limit what it counts this message by."""
        return [
            _OF_WHOLE if rule.each in _WHOLE
            else hash(template) if rule.each == "template"
            else hash(address) if rule.each == "address"
            else hash((template, address))
            for rule, _ in self._rules
        ]  # fmt: skip

    def _window(self, number: int, key: int) -> Window | None:
        """Return what has come under a limit; None where nothing has."""
        found = self._held[number].get(key)
        if not isinstance(found, float):
            return found
        rule, seconds = self._rules[number]
        window = self._held[number][key] = Window(rule.most, seconds)
        window.take(found)
        return window

    def _count(self, keys: Sequence[int], at: float) -> None:
        for number, key in enumerate(keys):
            window = self._window(number, key)
            if window is not None:
                window.take(at)
                continue
            if len(self._held[number]) >= self._sweep_at[number]:
                self._sweep(number, at)
            self._held[number][key] = float(at)

    def _sweep(self, number: int, now: float) -> None:
        """Forget what is over; look again when there is twice as much as stays."""
        seconds = self._rules[number][1]
        held = {
            key: one
            for key, one in self._held[number].items()
            if (one + seconds > now if isinstance(one, float) else not one.is_over(now))
        }
        self._held[number] = held
        self._sweep_at[number] = max(_SWEEP, 2 * len(held))
