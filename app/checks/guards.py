"""Checks of guards: the shop's own in ``tintype.toml``, and quiet hours wherever they stand."""

from __future__ import annotations

from app.checks.settings import LABEL
from app.checks.texts import check_length, check_time_of_day, check_zone
from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from engine.plan_guards import MOST_CAPS
from rules.suggest import suggest
from triggers.shop_guards import QuietHours


def check_guards(folder: Folder, problems: Problems) -> None:
    """``[guards]``: times, zones, and what caps name."""
    if not folder.settings_are_read:
        return
    guards = folder.shop.settings.guards
    check_quiet_hours(folder, LABEL, ("guards", "quiet_hours"), guards.quiet_hours, problems)
    for zone in guards.zones:
        check_zone(zone, folder.where(LABEL, "guards", "zones"), problems)
    if guards.zone:
        _check_attribute(folder, guards.zone, problems)
    if bool(guards.zone) != bool(guards.zones):
        where = folder.where(LABEL, "guards", "zone" if guards.zone else "zones")
        hint = "zone is the attribute that holds a customer's, zones are those that they have"
        problems.add(where, "zone and zones go together", hint)
    _check_caps(folder, problems)


def check_quiet_hours(
    folder: Folder, label: str, place: Place, quiet: QuietHours | None, problems: Problems
) -> None:
    """Two times of day that differ; None is fine."""
    if quiet is None:
        return
    check_time_of_day(quiet.from_, folder.where(label, *place, "from"), problems)
    check_time_of_day(quiet.until, folder.where(label, *place, "until"), problems)
    if quiet.from_ == quiet.until:
        hint = "write another time, or leave quiet_hours out"
        problems.add(folder.where(label, *place), "quiet hours end when they begin", hint)


def _check_attribute(folder: Folder, named: str, problems: Problems) -> None:
    name = named.removeprefix("customer.")
    texts = {
        column.attribute
        for source in folder.shop.sources.values()
        for column in source.columns.values()
        if column.attribute and column.type == "text" and not column.personal
    }
    whole = folder.names.get("sources") == set(folder.shop.sources)  # else it may stand in a broken file
    if name not in texts and whole:
        where = folder.where(LABEL, "guards", "zone")
        problem = f"there is no attribute '{name}' of text that is not personal"
        problems.add(where, problem, suggest(name, texts, "attribute"))


def _check_caps(folder: Folder, problems: Problems) -> None:
    caps = folder.shop.settings.guards.caps
    if len(caps) > MOST_CAPS:
        where = folder.where(LABEL, "guards", "caps")
        problems.add(where, f"there are {len(caps)} caps", f"{MOST_CAPS} are the most")
    for name, cap in caps.items():
        place = ("guards", "caps", name)
        check_length(cap.within, folder.where(LABEL, *place, "within"), problems)
        for key, kind, named, known in (
            ("channels", "channel", cap.channels, set(folder.shop.channels)),
            ("triggers", "trigger", cap.triggers, folder.names["triggers"]),
        ):
            for one in named:
                if one not in known:
                    where = folder.where(LABEL, *place, key)
                    problems.add(where, f"there is no {kind} '{one}'", suggest(one, known, kind))
