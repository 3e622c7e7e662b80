"""Tags that rest on each other in a circle have no order in which they could be judged (semantics G2)."""

from __future__ import annotations

from collections.abc import Mapping

from app.folder import Folder
from app.problems import Problems


def check_cycles(folder: Folder, used: Mapping[str, tuple[str, ...]], problems: Problems) -> None:
    """Refuse circles. used: tag to the tags its rule reads.

    Tags of an exclusive group are judged together, so reading one of a group is reading all of it, and a
    circle through a group is a circle.
    """
    groups = folder.shop.settings.groups
    unit_of = {name: f"group '{group}'" for group, names in groups.items() for name in names}
    reads: dict[str, dict[str, str]] = {}  # unit to the units it reads, with the tag whose rule does so
    for name, others in used.items():
        for other in others:
            reads.setdefault(unit_of.get(name, name), {}).setdefault(unit_of.get(other, other), name)
    finished: set[str] = set()
    for unit in reads:
        circle = _circle(unit, reads, finished)
        if circle:
            tag = reads[circle[0]][circle[1]]
            where = folder.where(f"tags/{tag}.yaml", "rule")
            hint = "one of them must not rest on the other"
            problems.add(where, f"tags rest on each other in a circle ({' -> '.join(circle)})", hint)


def _circle(start: str, reads: Mapping[str, Mapping[str, str]], finished: set[str]) -> list[str]:
    """Return the first circle reachable from ``start`` as its units in order, the first one repeated."""
    path: list[str] = [start]
    waiting = [iter(reads.get(start, ()))]
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            finished.add(path.pop())
            waiting.pop()
        elif step in path:
            return [*path[path.index(step) :], step]
        elif step not in finished:
            path.append(step)
            waiting.append(iter(reads.get(step, ())))
    return []
