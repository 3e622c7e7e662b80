"""Checks of ``channels.yaml``."""

from __future__ import annotations

import string

from app.checks.cloud_sms import check_cloud_sms
from app.checks.texts import check_zone
from app.folder import Folder
from app.problems import Problems
from sinks.channels.cloud_settings import CloudSettings
from sinks.channels.inbox import InboxSettings
from sinks.channels.settings import parse_seconds

LABEL = "channels.yaml"


def check_channels(folder: Folder, problems: Problems) -> None:
    """Lengths, names of providers and the form of templates."""
    for name, channel in folder.shop.channels.items():
        _check_seconds(channel.expires, folder.where(LABEL, name, "expires"), problems)
        names = {
            template: fields(text, folder.where(LABEL, name, "templates", template), problems)
            for template, text in channel.templates.items()
        }
        called: set[str] = set()
        for index, provider in enumerate(channel.providers):
            place = (name, "providers", index)
            if provider.called in called:
                where = folder.where(LABEL, *place)
                problems.add(where, f"there are two providers '{provider.called}'", "give one another name")
            called.add(provider.called)
            if "zone" in type(provider).model_fields:
                check_zone(getattr(provider, "zone", None), folder.where(LABEL, *place, "zone"), problems)
            if isinstance(provider, InboxSettings):
                _check_seconds(provider.keep, folder.where(LABEL, *place, "keep"), problems)
            for number, limit in enumerate(provider.limits):
                where = folder.where(LABEL, *place, "limits", number, "within")
                _check_seconds(limit.within, where, problems)
            if isinstance(provider, CloudSettings):
                _check_seconds(provider.timeout, folder.where(LABEL, *place, "timeout"), problems)
                check_cloud_sms(folder, place, provider, names, problems)


def _check_seconds(text: str, where: str, problems: Problems) -> None:
    try:
        parse_seconds(text)
    except ValueError as error:
        problem, _, hint = str(error).partition("; ")
        problems.add(where, problem, hint)


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
