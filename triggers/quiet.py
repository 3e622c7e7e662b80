"""Quiet hours: local times in which nobody is written to (semantics D5)."""

from __future__ import annotations

from engine import guard_state as g
from engine import state as s
from engine.jit import step
from profiles import metrics

DAY = 1440


@step
def zone_of(st: int, c: int) -> int:
    """Return the number of the customer's zone; 0, the shop's, where it is not known."""
    m = g.zone_metric(st)
    if m >= 0 and metrics.is_known(st, c, m):
        code = metrics.read(st, c, m)
        for zone in range(1, g.zones(st)):
            if g.zone_code(st, zone) == code:
                return zone
    return 0


@step
def stretch_at(st: int, zone: int, minute: int) -> int:
    """Return the number of the stretch without a change of clocks in which a UTC minute lies."""
    low, high = g.zone_first(st, zone), g.zone_first(st, zone + 1)
    while high - low > 1:
        middle = (low + high) >> 1
        if g.zone_start(st, middle) <= minute:
            low = middle
        else:
            high = middle
    return low


@step
def local_minute(st: int, zone: int, minute: int) -> int:
    """Return the minute of the local day, 0 .. 1439, at a UTC minute."""
    return (minute + g.zone_offset(st, stretch_at(st, zone, minute))) % DAY


@step
def is_quiet(st: int, trigger: int, zone: int, minute: int) -> bool:
    """Whether a UTC minute lies in a trigger's quiet hours, [from, until) in the zone."""
    first, end = g.quiet_from(st, trigger), g.quiet_until(st, trigger)
    at = local_minute(st, zone, minute)
    if first < end:
        return first <= at < end
    return at >= first or at < end


@step
def quiet_end(st: int, trigger: int, c: int) -> int:
    """Return the first minute after the clock that is not quiet; 0 where the clock is not."""
    if g.quiet_from(st, trigger) < 0:
        return 0
    zone, now = zone_of(st, c), s.clock(st)
    end = now
    while is_quiet(st, trigger, zone, end):
        over = end + (g.quiet_until(st, trigger) - local_minute(st, zone, end)) % DAY
        following = stretch_at(st, zone, end) + 1
        if following < g.zone_first(st, zone + 1):  # clocks may be changed before
            over = min(over, g.zone_start(st, following))
        end = over
    return end if end > now else 0
