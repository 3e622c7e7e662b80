"""Checks of ``triggers/*.yaml``."""

from __future__ import annotations

import contextlib

from app.checks.channels import LABEL as CHANNELS
from app.checks.channels import needs
from app.checks.coupons import check_said_coupon
from app.checks.guards import check_quiet_hours
from app.checks.rows import check_column, check_source
from app.checks.texts import check_date, check_length, check_time_of_day
from app.folder import Folder
from app.problems import Problems
from profiles.windows import parse_length
from rules.schema import segment_names
from rules.suggest import suggest
from sinks.coupons.pool import SAID
from sinks.deliveries.forecast import KEPT
from sinks.texts.texts import LINK
from sinks.texts.words import spoken
from triggers.trigger import Event, Forecast, Goal, Pace, Trigger, When


def check_triggers(folder: Folder, problems: Problems) -> None:
    """The occasion, what it names, lengths, guards and the action."""
    for name, trigger in folder.shop.triggers.items():
        label = f"triggers/{name}.yaml"
        _check_occasion(folder, label, trigger.when, problems)
        check_length(trigger.for_, folder.where(label, "for"), problems)
        check_length(trigger.guards.cool_down, folder.where(label, "guards", "cool_down"), problems)
        check_length(trigger.guards.max_age, folder.where(label, "guards", "max_age"), problems)
        check_quiet_hours(folder, label, ("guards", "quiet_hours"), trigger.guards.quiet_hours, problems)
        _check_within_a_week(
            folder, label, ("guards", "forecast", "within"), trigger.guards.forecast, problems
        )
        _check_within_a_week(folder, label, ("action", "pace", "within"), trigger.action.pace, problems)
        if trigger.goal is not None:
            _check_goal(folder, label, trigger.goal, problems)
        consent = trigger.guards.consent
        if consent is not None and [bool(part) for part in consent.split("/")] != [True, True]:
            where = folder.where(label, "guards", "consent")
            problems.add(where, f"'{consent}' is no consent", "write channel/purpose, such as sms/marketing")
        _check_action(folder, label, trigger, problems)


def _check_within_a_week(
    folder: Folder, label: str, place: tuple[str, ...], counted: Forecast | Pace | None, problems: Problems
) -> None:
    """A length of a week at most: acts and messages are counted as far back."""
    if counted is None:
        return
    where = folder.where(label, *place)
    check_length(counted.within, where, problems)
    with contextlib.suppress(ValueError):
        if parse_length(counted.within) > KEPT:
            problems.add(where, f"'{counted.within}' is longer than a week", "write 7d, or a shorter length")


def _check_goal(folder: Folder, label: str, goal: Goal, problems: Problems) -> None:
    """A source of rows, a length, and a number that can be summed up; `where` is read with the rules."""
    if folder.settings_are_read and not folder.shop.settings.history:
        hint = "take 'history = false' out of tintype.toml, or leave the goal out"
        problems.add(folder.where(label, "goal"), "goals are counted in history, which is off", hint)
    check_length(goal.within, folder.where(label, "goal", "within"), problems)
    source = check_source(folder, label, ("goal", "source"), goal.source, problems)
    place = ("goal", "value")
    if source is None or goal.value is None:
        return
    if check_column(folder, label, place, goal.value, source, problems):
        kind = source.columns[goal.value].type
        if kind not in ("int", "decimal"):
            what = f"column '{goal.value}' is of type {kind}"
            problems.add(folder.where(label, *place), what, "name one of int or decimal")


def _check_occasion(folder: Folder, label: str, when: When, problems: Problems) -> None:
    occasions = [key for key in When.model_fields if getattr(when, key) is not None]
    if len(occasions) != 1:
        what = f"has {len(occasions)} occasions" + (f" ({', '.join(occasions)})" if occasions else "")
        hint = "give exactly one of event, enter, leave, absence, schedule"
        problems.add(folder.where(label, "when"), what, hint)
    if when.event is not None:
        _check_event(folder, label, when.event, ("when", "event"), problems)
        if when.event.where and "delete" in when.event.operations:
            where = folder.where(label, "when", "event", "where")
            problems.add(
                where, "a deleted row has no columns to read", "leave out where, or the operation delete"
            )
    if when.enter is not None:
        _check_state(folder, label, when.enter, "enter", problems)
    if when.leave is not None:
        _check_state(folder, label, when.leave, "leave", problems)
    if when.absence is not None:
        _check_event(folder, label, when.absence.after, ("when", "absence", "after"), problems)
        _check_event(folder, label, when.absence.of, ("when", "absence", "of"), problems)
        check_length(when.absence.within, folder.where(label, "when", "absence", "within"), problems)
        for part, event in (("after", when.absence.after), ("of", when.absence.of)):
            if event.operations != ["insert"]:
                where = folder.where(label, "when", "absence", part, "operations")
                problems.add(where, "an absence looks at rows that are inserted", "leave operations out")
    if when.schedule is not None:
        check_time_of_day(when.schedule.at, folder.where(label, "when", "schedule", "at"), problems)
        where = folder.where(label, "when", "schedule", "on")
        for day in when.schedule.on:
            check_date(day, where, problems)
        if when.schedule.on and when.schedule.days:
            problems.add(where, "dates and days of the week at once", "keep 'on', or 'days'")


def _check_event(
    folder: Folder, label: str, event: Event, place: tuple[str, ...], problems: Problems
) -> None:
    hint = "an occasion needs a source of kind rows"
    check_source(folder, label, (*place, "source"), event.source, problems, hint)
    if not event.operations:
        where = folder.where(label, *place, "operations")
        problems.add(where, "no operation", "write insert, update or delete, or leave the key out for insert")


def _check_state(folder: Folder, label: str, name: str, key: str, problems: Problems) -> None:
    """``enter`` and ``leave`` name a tag, ``segment:NAME`` of the first model or ``segment:MODEL/NAME``."""
    where = folder.where(label, "when", key)
    if not name.startswith("segment:"):
        if name not in folder.names["tags"]:
            problems.add(where, f"there is no tag '{name}'", suggest(name, folder.names["tags"], "tag"))
        return
    models = {model.name: segment_names(model) for model in folder.shop.rfm}
    if not models:
        problems.add(where, "there is no rfm.yaml, so there are no segments", "name a tag")
        return
    model, slash, segment = name.removeprefix("segment:").partition("/")
    if not slash or model not in models:
        model, segment = folder.shop.rfm[0].name, name.removeprefix("segment:")
    if segment not in models[model]:
        problems.add(where, f"there is no segment '{segment}'", suggest(segment, models[model], "segment"))


def _check_action(folder: Folder, label: str, trigger: Trigger, problems: Problems) -> None:
    channels = folder.shop.channels
    action = trigger.action
    if action.channel not in channels:
        if folder.documents.get(CHANNELS) is None or not channels:
            hint = "declare it in channels.yaml"
        else:
            hint = suggest(action.channel, channels, "channel")
        where = folder.where(label, "action", "channel")
        problems.add(where, f"there is no channel '{action.channel}'", hint)
        return
    where = folder.where(label, "action", "template")
    templates = channels[action.channel].templates
    if not action.template:
        if templates:
            problems.add(
                where,
                "no template is named",
                f"channel '{action.channel}': {suggest('', templates, 'template')}",
            )
        return
    if action.template not in templates:
        problems.add(
            where,
            f"there is no template '{action.template}'",
            suggest(action.template, templates, "template"),
        )
        return
    if LINK in action.values and any(words.link for words in spoken(templates[action.template]).values()):
        place = folder.where(label, "action", "values", LINK)
        problems.add(place, f"'{LINK}' is the template's own link", "give the value another name")
    said = needs(templates[action.template])
    for name in sorted(said - set(action.values) - set(SAID)):
        problems.add(where, f"the template needs the value '{name}'", f"add 'values: {{{name}: RULE}}'")
    check_said_coupon(folder, label, action, said, problems)
