"""Checks of ``tags/*.yaml``."""

from __future__ import annotations

from app.checks.texts import check_length
from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest


def check_tags(folder: Folder, problems: Problems) -> None:
    """Lengths and groups. That a group lists only tags of its own is checked with the settings."""
    groups = folder.shop.settings.groups
    for name, tag in folder.shop.tags.items():
        label = f"tags/{name}.yaml"
        check_length(tag.sticky, folder.where(label, "sticky"), problems)
        check_length(tag.max, folder.where(label, "max"), problems)
        if tag.group is None or not folder.settings_are_read:
            continue
        where = folder.where(label, "group")
        if tag.group not in groups:
            problems.add(
                where, f"there is no group '{tag.group}' in tintype.toml", suggest(tag.group, groups, "group")
            )
        elif name not in groups[tag.group]:
            hint = "add it to the group's order under [groups] in tintype.toml"
            problems.add(where, f"group '{tag.group}' does not list '{name}'", hint)
