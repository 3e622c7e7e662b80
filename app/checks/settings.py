"""Checks of ``tintype.toml``."""

from __future__ import annotations

import re

from app.checks.texts import check_currency, check_zone
from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest

LABEL = "tintype.toml"
LANGUAGES = ("en", "zh")
# an address of this machine may go without TLS: for trying
_PUBLIC = re.compile(r"(https://[A-Za-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?)/?")


def check_settings(folder: Folder, problems: Problems) -> None:
    """Zone, language, currency, the order of references and the exclusive groups."""
    settings = folder.shop.settings
    if not folder.settings_are_read:
        return
    if not settings.name.strip() or any(sign in settings.name for sign in "{}\n\t"):
        hint = "write the shop's name, without braces"
        problems.add(folder.where(LABEL, "name"), f"'{settings.name}' is no name", hint)
    check_zone(settings.zone, folder.where(LABEL, "zone"), problems)
    if settings.language not in LANGUAGES:
        where = folder.where(LABEL, "language")
        problems.add(where, f"'{settings.language}' is no language", "write en or zh")
    check_currency(settings.currency, folder.where(LABEL, "currency"), problems)
    base = settings.links.base
    if base and not _PUBLIC.fullmatch(base):
        hint = "write https://HOST, such as https://s.shop.example, without a path"
        problems.add(folder.where(LABEL, "links", "base"), f"'{base}' is no public address", hint)
    _check_priority(folder, problems)
    _check_groups(folder, problems)


def _check_priority(folder: Folder, problems: Problems) -> None:
    priority = folder.shop.settings.identity_priority
    types = {one.type for source in folder.shop.sources.values() for one in source.references}
    whole = folder.names.get("sources") == set(folder.shop.sources)  # else a type may stand in a broken file
    where = folder.where(LABEL, "identity_priority")
    for name in priority:
        if name not in types and whole:
            problems.add(
                where, f"no source has a reference of type '{name}'", suggest(name, types, "reference")
            )
        if priority.count(name) > 1:
            problems.add(where, f"type '{name}' stands twice", "keep one")


def _check_groups(folder: Folder, problems: Problems) -> None:
    seen: dict[str, str] = {}
    for group, members in folder.shop.settings.groups.items():
        where = folder.where(LABEL, "groups", group)
        if len(members) < 2:
            problems.add(where, f"group '{group}' has fewer than two tags", "an exclusive group needs two")
        for name in members:
            if name in seen:
                problems.add(where, f"tag '{name}' is in '{seen[name]}' already", "a tag has one group, once")
            seen[name] = group
            if name not in folder.names["tags"]:
                problems.add(where, f"there is no tag '{name}'", suggest(name, folder.names["tags"], "tag"))
            elif name in folder.shop.tags and folder.shop.tags[name].group != group:
                label = f"tags/{name}.yaml"
                problems.add(
                    folder.where(label, "group"), f"is listed in group '{group}'", f"add 'group: {group}'"
                )
