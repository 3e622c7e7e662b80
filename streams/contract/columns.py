"""Which columns of a file a source reads, and which columns its rows carry."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.contract.source import Column, Source
from streams.errors import InputError

# What a row of tags or consent must carry when the source does not declare it otherwise.
_KIND_COLUMNS: Mapping[str, dict[str, Column]] = {
    "rows": {},
    "tags": {
        "tag": Column(type="text", required=True),
        "on": Column(type="bool"),
        "until": Column(type="time"),
    },
    "consent": {
        "channel": Column(type="text", required=True),
        "purpose": Column(type="text", required=True),
        "granted": Column(type="bool", required=True),
        "until": Column(type="time"),
    },
}
_OPTIONAL = {"until"}


def carried_columns(source: Source) -> dict[str, Column]:
    """Return the columns that the source's rows carry: those of its kind, then its own."""
    return {**_KIND_COLUMNS[source.kind], **source.columns}


def is_optional(source: Source, name: str) -> bool:
    """Say whether a file may lack this column (``until`` of tags and consent, unless declared)."""
    return source.kind != "rows" and name in _OPTIONAL and name not in source.columns


def file_columns(source: Source) -> list[str]:
    """Return the headings that a file of the source must have, each once."""
    names = [*source.key]
    if source.event_time.column is not None:
        names.append(source.event_time.column)
    names += [reference.column for reference in source.references]
    if source.via is not None:
        names.append(source.via.column)
    for name, column in carried_columns(source).items():
        if not is_optional(source, name):
            names += column.product or [column.source_name or name]
    return list(dict.fromkeys(names))


def names_customer(source: Source) -> set[str]:
    """Return the headings that say who the customer of a row is."""
    return {reference.column for reference in source.references} | (
        {source.via.column} if source.via is not None else set()
    )


def names_of(source: Source) -> set[str]:
    """Return the headings that name something: the row, its customer, or its parent."""
    return names_customer(source) | set(source.key)


def check_source(source: Source, sources: Mapping[str, Source]) -> None:
    """Raise InputError if the declaration cannot be imported: it must be clear who the customer is, and when
    a row happened.
    """
    check_customer(source, sources)
    check_event_time(source)


def check_event_time(source: Source) -> None:
    """Raise InputError unless either a column or the parent dates the rows."""
    where, declared = f"sources/{source.name}.yaml", source.event_time
    if declared.parent == (declared.column is not None):
        problem = "exactly one of 'column' and 'parent: true' must say when a row happened"
        raise InputError(where, problem, "declare one")
    if declared.parent and source.via is None:
        problem = "rows without 'via' have no parent to be dated by"
        raise InputError(where, problem, "declare 'via', or the 'column' of the event time")
    if declared.parent and (declared.format or declared.zone or declared.wire):
        problem = "'format', 'zone' and 'wire' say how a column is read, and no column dates these rows"
        raise InputError(where, problem, "remove them")


def check_customer(source: Source, sources: Mapping[str, Source]) -> None:
    """Raise InputError unless it is clear who the customer of a row is."""
    where = f"sources/{source.name}.yaml"
    if bool(source.references) == (source.via is not None):
        raise InputError(
            where, "exactly one of 'references' and 'via' must say who the customer is", "declare one"
        )
    if source.via is None:
        return
    if source.kind != "rows":
        raise InputError(where, f"a source of {source.kind} names its customers 'via'", "give it references")
    parent = sources.get(source.via.source)
    if parent is None:
        raise InputError(where, f"source '{source.via.source}' does not exist", "correct 'via.source'")
    if parent.kind != "rows" or parent.occurrence or len(parent.key) != 1:
        raise InputError(
            where,
            f"'{source.via.source}' cannot name a customer for others",
            "it needs kind rows, one key column and no occurrence",
        )


def known_to(sources: Mapping[str, Source], tags: Collection[str]) -> dict[str, Source]:
    """Return the sources, those of kind ``tags`` allowing only tags that the shop declares."""
    known = {}
    for name, source in sources.items():
        if source.kind == "tags":
            tag = carried_columns(source)["tag"]
            allowed = [word for word in sorted(tags) if tag.allowed is None or word in tag.allowed]
            columns = {**source.columns, "tag": tag.model_copy(update={"allowed": allowed})}
            source = source.model_copy(update={"columns": columns})
        known[name] = source if source.name else source.model_copy(update={"name": name})
    return known
