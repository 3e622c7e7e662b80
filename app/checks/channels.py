"""Checks of ``channels.yaml``."""

from __future__ import annotations

import string

from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest

LABEL = "channels.yaml"
KINDS = ("console", "file")


def check_channels(folder: Folder, problems: Problems) -> None:
    """Kinds, paths and the form of templates."""
    for name, channel in folder.shop.channels.items():
        where = folder.where(LABEL, name, "kind")
        if channel.kind not in KINDS:
            problems.add(
                where, f"'{channel.kind}' is no kind of channel", suggest(channel.kind, KINDS, "kind")
            )
        if (channel.kind == "file") != (channel.path is not None):
            hint = "a file channel has a path, a console has none"
            problems.add(folder.where(LABEL, name, "path"), f"does not fit kind {channel.kind}", hint)
        for template, text in channel.templates.items():
            at = folder.where(LABEL, name, "templates", template)
            fields(text, at, problems)


def fields(template: str, where: str, problems: Problems) -> set[str]:
    """Return the names in braces of a template; ``{{`` and ``}}`` are braces themselves."""
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        problems.add(where, f"is no template ({error})", "write {name}, and {{ for a brace itself")
        return set()
    for name in names:
        if not name.isidentifier():
            problems.add(where, f"'{{{name}}}' is no name", "write {name} with letters, digits and _")
    return names
