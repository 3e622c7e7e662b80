"""Checks of ``rfm.yaml``."""

from __future__ import annotations

from itertools import pairwise

from app.checks.texts import check_window
from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rfm.model import RfmModel
from rules.suggest import suggest

LABEL = "rfm.yaml"


def check_rfm(folder: Folder, problems: Problems) -> None:
    """Names, windows, given cut points and the ranges of segments."""
    seen: set[str] = set()
    for index, model in enumerate(folder.shop.rfm):
        place = (index,) if _is_list(folder) else ()
        if not model.name.isidentifier():
            problems.add(
                folder.where(LABEL, *place, "name"), f"'{model.name}' is no name", "use letters and _"
            )
        if model.name in seen:
            hint = "give each model its own name"
            problems.add(folder.where(LABEL, *place, "name"), f"'{model.name}' stands twice", hint)
        seen.add(model.name)
        window = check_window(model.window, folder.where(LABEL, *place, "window"), problems)
        if window is not None and window.kind == "own":
            _check_own_year(folder, window.attribute, folder.where(LABEL, *place, "window"), problems)
        _check_cuts(folder, model, place, problems)
        _check_segments(folder, model, place, problems)


def _is_list(folder: Folder) -> bool:
    return isinstance(folder.documents[LABEL].value, list)


def _check_own_year(folder: Folder, attribute: str, where: str, problems: Problems) -> None:
    dates = {
        column.attribute
        for source in folder.shop.sources.values()
        for column in source.columns.values()
        if column.attribute is not None and column.type == "date"
    }
    if attribute not in dates:
        problems.add(
            where, f"there is no date attribute '{attribute}'", suggest(attribute, dates, "date attribute")
        )


def _check_cuts(folder: Folder, model: RfmModel, place: Place, problems: Problems) -> None:
    where = folder.where(LABEL, *place, "fixed")
    if model.method != "fixed":
        if model.fixed is not None:
            problems.add(where, f"method {model.method} takes no given cut points", "remove 'fixed'")
        return
    if model.fixed is None:
        problems.add(where, "method fixed needs cut points", "add 'fixed:' with recency, frequency, monetary")
        return
    for measure in ("recency", "frequency", "monetary"):
        cuts: list[int] = getattr(model.fixed, measure)
        at = folder.where(LABEL, *place, "fixed", measure)
        if not 1 <= len(cuts) <= 9:
            problems.add(at, f"{len(cuts)} cut points", "give one to nine")
        if any(low >= high for low, high in pairwise(cuts)):
            problems.add(at, "cut points do not rise", "write them from low to high, each once")


def _check_segments(folder: Folder, model: RfmModel, place: Place, problems: Problems) -> None:
    seen: set[str] = set()
    for index, segment in enumerate(model.segments):
        at: Place = (*place, "segments", index)
        if segment.name in seen or segment.name == model.otherwise:
            problems.add(folder.where(LABEL, *at, "name"), f"'{segment.name}' stands twice", "rename one")
        seen.add(segment.name)
        for letter, measure in (("r", "recency"), ("f", "frequency"), ("m", "monetary")):
            low, high = getattr(segment, letter)
            top = _bins(model, measure)
            if not 1 <= low <= high <= top:
                where = folder.where(LABEL, *at, letter)
                problems.add(
                    where, f"[{low}, {high}] is no range of scores", f"write low and high within 1 to {top}"
                )


def _bins(model: RfmModel, measure: str) -> int:
    if model.method == "mean":
        return 2
    if model.method == "fixed" and model.fixed is not None:
        return len(getattr(model.fixed, measure)) + 1
    return model.bins
