"""Checks of ``*.test.yaml``: what a timeline names must exist, and its clock must not run back."""

from __future__ import annotations

import zoneinfo

from app.customer_name import is_customer_name
from app.folder import TEST, Folder
from app.moments import parse_moment
from app.problems import Problems
from app.timelines.rows import known_columns, unknown_columns
from app.timelines.timeline import Case, Expect, Step, Timeline
from rules.suggest import suggest


def check_timelines(folder: Folder, problems: Problems) -> None:
    """Moments, sources, tags, metrics, models and customers that a timeline names."""
    zone = folder.shop.settings.zone
    if zone not in zoneinfo.available_timezones():
        return  # told at tintype.toml; no moment can be read without it
    for (kind, name), timeline in folder.timelines.items():
        label = f"{kind}/{name}{TEST}"
        if _moment(timeline.start, None, zone, folder.where(label, "start"), problems) is None:
            continue
        for index, case in enumerate(timeline.cases):
            _check_case(folder, label, timeline, case, ("cases", index), problems)


def _check_case(
    folder: Folder,
    label: str,
    timeline: Timeline,
    case: Case,
    place: tuple[str | int, ...],
    problems: Problems,
) -> None:
    zone = folder.shop.settings.zone
    _check_stale(folder, label, case, (*place, "stale"), problems)
    start = _moment(case.start or timeline.start, None, zone, folder.where(label, *place, "start"), problems)
    if start is None:
        return
    customer = case.customer or timeline.customer
    clock = start
    for index, step in enumerate(case.steps):
        at = (*place, "steps", index)
        minute = _moment(step.at, start, zone, folder.where(label, *at, "at"), problems)
        if minute is not None and minute < clock:
            problems.add(
                folder.where(label, *at, "at"), f"'{step.at}' is before the step above", "order the steps"
            )
        clock = max(clock, minute or clock)
        _check_step(folder, label, step, at, problems)
        named = [one.customer for one in step.manual] + [one.customer for one in step.consent]
        named += [one.customer for one in step.expectations()]
        for name in {one or customer for one in named}:
            if name is not None and not is_customer_name(name):
                hint = "write type:value, such as member:M1"
                problems.add(folder.where(label, *at), f"'{name}' names no customer", hint)
        if None in named and customer is None:
            problems.add(folder.where(label, *at), "no customer is named", "add 'customer: type:value'")


def _check_stale(
    folder: Folder, label: str, case: Case, place: tuple[str | int, ...], problems: Problems
) -> None:
    """Only a source that has a limit can be stale."""
    known = folder.names["sources"]
    for index, name in enumerate(case.stale):
        where = folder.where(label, *place, index)
        if name not in known:
            problems.add(where, f"there is no source '{name}'", suggest(name, known, "source"))
        elif name in folder.shop.sources and not folder.shop.sources[name].stale_minutes:
            problems.add(where, f"source '{name}' is never stale", "give it 'stale_after', or leave it out")


def _check_step(
    folder: Folder, label: str, step: Step, place: tuple[str | int, ...], problems: Problems
) -> None:
    sources, tags = folder.names["sources"], folder.names["tags"]
    for key in ("insert", "update", "delete"):
        for source in getattr(step, key):
            if source not in sources:
                where = folder.where(label, *place, key, source)
                problems.add(where, f"there is no source '{source}'", suggest(source, sources, "source"))
            elif source in folder.shop.sources:
                _check_rows(folder, label, source, step, key, (*place, key, source), problems)
    for index, manual in enumerate(step.manual):
        if manual.tag not in tags:
            where = folder.where(label, *place, "manual", index, "tag")
            problems.add(where, f"there is no tag '{manual.tag}'", suggest(manual.tag, tags, "tag"))
    listed = isinstance(step.expect, list)
    for index, expect in enumerate(step.expectations()):
        own = (*place, "expect", index) if listed else (*place, "expect")
        _check_expect(folder, label, expect, own, problems)


def _check_rows(
    folder: Folder,
    label: str,
    name: str,
    step: Step,
    key: str,
    place: tuple[str | int, ...],
    problems: Problems,
) -> None:
    source = folder.shop.sources[name]
    for index, row in enumerate(getattr(step, key)[name]):
        for column in unknown_columns(source, row):
            where = folder.where(label, *place, index, column)
            hint = suggest(column, known_columns(source), "source")
            problems.add(where, f"'{column}' is no column of a file of '{name}'", hint)


def _check_expect(
    folder: Folder, label: str, expect: Expect, place: tuple[str | int, ...], problems: Problems
) -> None:
    models = [model.name for model in folder.shop.rfm]
    for key, names, known in (
        ("tags", expect.tags, folder.names["tags"]),
        ("not_tags", expect.not_tags, folder.names["tags"]),
        ("metrics", expect.metrics, folder.shop.metrics),
        ("rfm", expect.rfm, models),
    ):
        for name in names:
            if name not in known:
                where = folder.where(label, *place, key, name)
                problems.add(where, f"'{name}' is not declared", suggest(name, known, "name"))
    for index, decided in enumerate(expect.decisions or []):
        if decided.trigger is not None and decided.trigger not in folder.names["triggers"]:
            where = folder.where(label, *place, "decisions", index, "trigger")
            hint = suggest(decided.trigger, folder.names["triggers"], "trigger")
            problems.add(where, f"there is no trigger '{decided.trigger}'", hint)


def _moment(text: str, start: int | None, zone: str, where: str, problems: Problems) -> int | None:
    try:
        return parse_moment(text, start, zone)
    except ValueError as error:
        problem, _, hint = str(error).partition("; ")
        problems.add(where, problem, hint)
        return None
