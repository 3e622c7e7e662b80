"""Checks of ``sources/*.yaml``."""

from __future__ import annotations

from app.checks.source_formats import check_format, check_names
from app.checks.texts import check_currency, check_length, check_time_format, check_zone
from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest
from streams.cdc.open import open_decoder
from streams.contract.columns import check_customer, check_event_time
from streams.contract.source import CALLS, CHANGE_FORMATS, NEVER_STALE, SEGMENT, Column, Source
from streams.errors import InputError


def check_sources(folder: Folder, problems: Problems) -> None:
    """Who the customer is, times, lengths, columns; and what sources say about each other."""
    attributes: dict[str, str] = {}
    for name, source in folder.shop.sources.items():
        label = f"sources/{name}.yaml"
        _check_customer(folder, name, source, problems)
        _check_event_time(folder, label, source, problems)
        _check_calls(folder, label, source, problems)
        _check_kind(folder, label, source, problems)
        check_names(folder, label, source, problems)
        check_format(folder, label, source, problems)
        check_length(source.duplicate_horizon, folder.where(label, "duplicate_horizon"), problems)
        if source.stale_after != NEVER_STALE:
            check_length(source.stale_after, folder.where(label, "stale_after"), problems)
        check_length(source.max_future, folder.where(label, "max_future"), problems)
        check_zone(source.event_time.zone, folder.where(label, "event_time", "zone"), problems)
        where = folder.where(label, "event_time", "format")
        check_time_format(source.event_time.format, where, problems, epochs=True)
        _check_messages(folder, label, source, problems)
        for column_name, column in source.columns.items():
            _check_column(folder, label, column_name, column, problems)
            if column.attribute is not None:
                _check_attribute(folder, label, column_name, column.attribute, attributes, problems)


def _check_messages(folder: Folder, label: str, source: Source, problems: Problems) -> None:
    """A source of change messages must say how its columns are written."""
    if source.format.type in CHANGE_FORMATS:
        try:
            open_decoder(source)
        except InputError as error:
            problems.add(folder.where(label, "columns"), error.problem, error.hint)


def _check_customer(folder: Folder, name: str, source: Source, problems: Problems) -> None:
    """Who the customer is must be clear; through another source it must lead somewhere."""
    label = f"sources/{name}.yaml"
    sources = folder.shop.sources
    via = source.via
    if via is not None and via.source not in folder.names["sources"]:
        where = folder.where(label, "via", "source")
        hint = suggest(via.source, folder.names["sources"] - {name}, "source")
        problems.add(where, f"there is no source '{via.source}'", hint)
    elif via is None or via.source in sources:  # else its file is broken, which is told there
        try:
            check_customer(source, sources)
        except InputError as error:
            problems.add(folder.where(label, "via"), error.problem, error.hint)
    chain, step = [name], source
    while step.via is not None and step.via.source in sources and len(chain) <= len(sources):
        chain.append(step.via.source)
        if step.via.source == name:
            where = folder.where(label, "via", "source")
            problems.add(where, f"goes in a circle ({' -> '.join(chain)})", "one of them needs 'references'")
            return
        step = sources[step.via.source]


def _check_event_time(folder: Folder, label: str, source: Source, problems: Problems) -> None:
    try:
        check_event_time(source)
    except InputError as error:
        problems.add(folder.where(label, "event_time"), error.problem, error.hint)


def _check_calls(folder: Folder, label: str, source: Source, problems: Problems) -> None:
    """``call`` and ``events`` belong to type segment, which needs the first."""
    form = source.format
    if form.type == SEGMENT and form.call is None:
        where = folder.where(label, "format")
        problems.add(where, "type segment needs 'call'", f"write one of {', '.join(CALLS)}")
    for key, given in (("call", form.call is not None), ("events", bool(form.events))):
        if given and form.type != SEGMENT:
            where = folder.where(label, "format", key)
            problems.add(where, f"'{key}' does not fit type {form.type}", "it is for type segment")
    if form.events and form.call not in ("track", "page", "screen", None):
        where = folder.where(label, "format", "events")
        problems.add(where, f"{form.call} calls have no name", "remove 'events'")


def _check_kind(folder: Folder, label: str, source: Source, problems: Problems) -> None:
    if source.kind != "rows" and source.where is not None:
        problems.add(folder.where(label, "where"), f"kind '{source.kind}' has no 'where'", "remove it")


def _check_attribute(
    folder: Folder, label: str, column: str, name: str, seen: dict[str, str], problems: Problems
) -> None:
    where = folder.where(label, "columns", column, "attribute")
    if not name.isidentifier():
        problems.add(where, f"'{name}' is no name", "use letters, digits and _")
    if name in seen:
        problems.add(where, f"attribute '{name}' comes from {seen[name]} already", "give it another name")
    seen.setdefault(name, f"{label}, column '{column}'")


def _check_column(folder: Folder, label: str, name: str, column: Column, problems: Problems) -> None:
    place = ("columns", name)
    if not name.isidentifier():
        hint = "name it with letters, digits and _, and give the file's name with 'from'"
        problems.add(folder.where(label, *place), f"'{name}' is no name", hint)
    if column.product is not None and column.source_name is not None:
        problems.add(folder.where(label, *place, "product"), "has both 'product' and 'from'", "keep one")
    if column.product is not None and len(column.product) < 2:
        problems.add(folder.where(label, *place, "product"), "multiplies fewer than two columns", "name two")
    check_currency(column.currency, folder.where(label, *place, "currency"), problems)
    if column.allowed == []:
        problems.add(folder.where(label, *place, "allowed"), "allows nothing", "list values, or remove it")
    check_zone(column.zone, folder.where(label, *place, "zone"), problems)
    check_time_format(column.format, folder.where(label, *place, "format"), problems)
    _check_type_fits(folder, label, name, column, problems)
    _check_personal(folder, label, name, column, problems)
    if column.minimum is not None and column.maximum is not None and column.minimum > column.maximum:
        problems.add(folder.where(label, *place, "minimum"), "is above the maximum", "swap them")


def _check_personal(folder: Folder, label: str, name: str, column: Column, problems: Problems) -> None:
    """What is personal is sealed as text; what names a customer must not stand beside it in the clear."""
    source = next(one for known, one in folder.shop.sources.items() if label == f"sources/{known}.yaml")
    heading = column.source_name or name
    where = folder.where(label, "columns", name, "personal")
    if column.personal and column.type != "text":
        hint = "declare 'type: text': what is sealed cannot be counted or compared"
        problems.add(where, f"'personal' does not fit type {column.type}", hint)
    if column.personal and source.kind != "rows":
        problems.add(where, f"a source of {source.kind} has no personal columns", "leave it out")
    if column.personal and source.event_time.column == heading:
        problems.add(where, "the event time cannot be personal", "leave it out")
    named = [one.type for one in source.references if one.column == heading]
    if named and not column.personal and column.type == "text":
        problem = f"'{name}' would keep the {named[0]} reference readable: references are kept as hashes"
        hint = "write 'personal: true', or leave the column out (profiles show references anyway)"
        problems.add(folder.where(label, "columns", name), problem, hint)


def _check_type_fits(folder: Folder, label: str, name: str, column: Column, problems: Problems) -> None:
    """Some keys mean something for some types only; elsewhere they would be silently without effect."""
    numbers, moments = ("int", "decimal"), ("time", "date")
    for key, given, types in (
        ("product", column.product is not None, ("decimal",)),
        ("scale", column.scale != 0, ("decimal",)),
        ("currency", column.currency is not None, ("decimal",)),
        ("minimum", column.minimum is not None, numbers),
        ("maximum", column.maximum is not None, numbers),
        ("format", column.format is not None, moments),
        ("zone", column.zone is not None, moments),
        ("allowed", column.allowed is not None, ("int", "text")),
    ):
        if given and column.type not in types:
            where = folder.where(label, "columns", name, key)
            problems.add(
                where, f"'{key}' does not fit type {column.type}", f"it is for {' and '.join(types)}"
            )
    for value in column.allowed or []:
        if isinstance(value, str) != (column.type == "text"):
            where = folder.where(label, "columns", name, "allowed")
            problems.add(where, f"{value!r} is not of type {column.type}", "correct the list")
