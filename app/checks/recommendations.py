"""Checks of ``recommendations.yaml``."""

from __future__ import annotations

from app.checks.rows import check_column, check_source
from app.checks.texts import check_length
from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rules.schema import segment_names
from rules.suggest import suggest
from sinks.recommendations.catalogue import columns_of
from sinks.recommendations.declaration import (
    AGAIN,
    IN_SEGMENT,
    IN_TAG,
    POPULAR,
    SIMILAR,
    Catalogue,
    Rules,
    Slot,
)
from streams.contract.source import Source

LABEL = "recommendations.yaml"
_STRATEGIES = (SIMILAR, AGAIN, POPULAR)


def check_recommendations(folder: Folder, problems: Problems) -> None:
    """Sources and columns that are named, lengths, strategies, and rules that need the catalogue."""
    declared = folder.shop.recommendations
    if declared is None:
        return
    if folder.settings_are_read and not folder.shop.settings.history:
        hint = "take 'history = false' out of tintype.toml"
        problems.add(folder.where(LABEL), "recommendations are trained from history, which is off", hint)
    if declared.catalogue is not None:
        _check_catalogue(folder, declared.catalogue, problems)
    for at, one in enumerate(declared.interests):
        place: Place = ("interests", at)
        source = check_source(folder, LABEL, (*place, "source"), one.source, problems)
        if source is not None:
            _check_item(folder, (*place, "item"), one.item, source, problems)
        check_length(one.half_life, folder.where(LABEL, *place, "half_life"), problems)
    check_length(declared.train_every, folder.where(LABEL, "train_every"), problems)
    for name, slot in declared.slots.items():
        _check_slot(folder, name, slot, declared.catalogue, problems)


def _check_catalogue(folder: Folder, catalogue: Catalogue, problems: Problems) -> None:
    where = folder.where(LABEL, "catalogue")
    if bool(catalogue.source) == bool(catalogue.file):
        problems.add(where, "the catalogue has no one place", "give one of source and file")
    elif catalogue.file:
        if not (folder.path / catalogue.file).is_file():
            where = folder.where(LABEL, "catalogue", "file")
            problems.add(where, f"there is no file '{catalogue.file}'", "name one, from the shop's folder")
    else:
        source = check_source(folder, LABEL, ("catalogue", "source"), catalogue.source, problems)
        if source is not None:
            _check_item(folder, ("catalogue", "item"), catalogue.item, source, problems)
            for column in columns_of(catalogue):
                check_column(folder, LABEL, ("catalogue",), column, source, problems)


def _check_item(folder: Folder, place: Place, column: str, source: Source, problems: Problems) -> None:
    if check_column(folder, LABEL, place, column, source, problems):
        kind = source.columns[column].type
        if kind not in ("text", "int"):
            problem = f"column '{column}' is of type {kind}"
            problems.add(folder.where(LABEL, *place), problem, "an item's id is a text or a whole number")


def _check_slot(
    folder: Folder, name: str, slot: Slot, catalogue: Catalogue | None, problems: Problems
) -> None:
    if not name.strip() or "/" in name:
        problems.add(folder.where(LABEL, "slots", name), f"'{name}' is no name", "use no slashes")
    for at, strategy in enumerate(slot.strategies):
        _check_strategy(folder, folder.where(LABEL, "slots", name, "strategies", at), strategy, problems)
    asked = slot.personalised
    if asked.consent is not None and [bool(part) for part in asked.consent.split("/")] != [True, True]:
        where = folder.where(LABEL, "slots", name, "personalised", "consent")
        problems.add(where, f"'{asked.consent}' is no consent", "write channel/purpose, such as web/profile")
    if asked.unless_tag is not None:
        where = folder.where(LABEL, "slots", name, "personalised", "unless_tag")
        _check_tag(folder, where, asked.unless_tag, problems)
    _check_rules(folder, ("slots", name, "rules"), slot.rules, catalogue, problems)


def _check_strategy(folder: Folder, where: str, strategy: str, problems: Problems) -> None:
    if strategy.startswith(IN_TAG):
        _check_tag(folder, where, strategy.removeprefix(IN_TAG), problems)
    elif strategy.startswith(IN_SEGMENT):
        known = {name for model in folder.shop.rfm for one in segment_names(model)
                 for name in (one, f"{model.name}/{one}")}  # fmt: skip
        segment = strategy.removeprefix(IN_SEGMENT)
        if segment not in known:
            problems.add(where, f"there is no segment '{segment}'", suggest(segment, known, "segment"))
    elif strategy not in _STRATEGIES:
        choices = (*_STRATEGIES, f"{IN_SEGMENT}NAME", f"{IN_TAG}NAME")
        problems.add(where, f"'{strategy}' is no strategy", f"write one of {', '.join(choices)}")


def _check_tag(folder: Folder, where: str, tag: str, problems: Problems) -> None:
    if tag not in folder.names["tags"]:
        problems.add(where, f"there is no tag '{tag}'", suggest(tag, folder.names["tags"], "tag"))


def _check_rules(
    folder: Folder, place: Place, rules: Rules, catalogue: Catalogue | None, problems: Problems
) -> None:
    check_length(rules.not_bought_within, folder.where(LABEL, *place, "not_bought_within"), problems)
    needs = {
        "in_stock": ("stock", rules.in_stock), "min_margin": ("margin", rules.min_margin is not None),
        "categories": ("category", bool(rules.categories)),
        "not_categories": ("category", bool(rules.not_categories)),
        "max_per_category": ("category", rules.max_per_category is not None),
    }  # fmt: skip
    for rule, (column, is_asked) in needs.items():
        if is_asked and (catalogue is None or not getattr(catalogue, column)):
            hint = f"add '{column}: COLUMN' to the catalogue"
            problems.add(folder.where(LABEL, *place, rule), f"'{rule}' needs the catalogue's {column}", hint)
