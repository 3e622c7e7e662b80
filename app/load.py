"""Read a shop's folder into a Shop: strict, and all errors of the folder at once."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from app.checks import check_references
from app.checks.rules import check_rules
from app.checks.said import check_said
from app.documents.declaration import declare
from app.documents.document import Document
from app.documents.toml_document import read_toml
from app.documents.yaml_document import read_yaml
from app.folder import KINDS, Folder, check_strangers, declared_files, timeline_files
from app.problems import ConfigError, Problems
from app.shop import Settings, Shop
from app.timelines.timeline import Timeline
from rfm.model import RfmModel
from rules.suggest import suggest
from sinks.channels.channel import Channel
from sinks.coupons.pool import Pool
from sinks.recommendations.declaration import Recommendations
from streams.contract.source import Source
from streams.errors import InputError
from tags.tag import Tag
from triggers.trigger import Trigger

Model = TypeVar("Model", bound=BaseModel)


def load_shop(path: Path) -> Shop:
    """Read and check the shop's folder at ``path``.

    Raises ConfigError with every problem of the folder, each as ``file:line: what: what to do``.
    """
    return read_folder(path).shop


def read_folder(path: Path) -> Folder:
    """Read and check the shop's folder at ``path``, with its timelines and documents.

    Raises ConfigError with every problem of the folder.
    """
    if not (path / "tintype.toml").is_file():
        hint = "name a folder that holds a tintype.toml" if path.is_dir() else "name an existing folder"
        raise ConfigError([InputError(str(path), "is no shop's folder", hint)])
    problems = Problems()
    documents: dict[str, Document] = {}
    check_strangers(path, problems)
    settings = _settings(path, documents, problems)
    files = {kind: declared_files(path, kind, problems) for kind in KINDS}
    shop = Shop(
        settings=settings or Settings(name=path.name),
        sources=_each(Source, "sources", files["sources"], documents, problems),
        metrics=_metrics(path, documents, problems),
        rfm=_rfm(path, documents, problems),
        tags=_each(Tag, "tags", files["tags"], documents, problems),
        triggers=_each(Trigger, "triggers", files["triggers"], documents, problems),
        channels=_named(Channel, path, "channels.yaml", "channel", documents, problems),
        coupons=_named(Pool, path, "coupons.yaml", "pool", documents, problems),
        recommendations=_recommendations(path, documents, problems),
    )
    timelines = _timelines(path, files, documents, problems)
    names = {kind: set(found) for kind, found in files.items()}
    folder = Folder(path, shop, documents, timelines, names, settings is not None)
    check_references(folder, problems)
    # Rules are read against the whole shop: where a part of it is wrong they would only echo that.
    problems.raise_if_any()
    check_rules(folder, problems)
    problems.raise_if_any()
    check_said(folder, problems)
    problems.raise_if_any()
    return folder


def _settings(path: Path, documents: dict[str, Document], problems: Problems) -> Settings | None:
    document = read_toml(path / "tintype.toml", "tintype.toml", problems)
    if document is None:
        return None
    documents[document.label] = document
    return declare(Settings, document, problems)


def _each(
    model: type[Model],
    kind: str,
    files: dict[str, Path],
    documents: dict[str, Document],
    problems: Problems,
) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for name, path in files.items():
        document = read_yaml(path, f"{kind}/{path.name}", problems)
        if document is None:
            continue
        documents[document.label] = document
        made = declare(model, document, problems, name=name)
        if made is not None:
            found[name] = made
    return found


def _single(path: Path, label: str, documents: dict[str, Document], problems: Problems) -> Document | None:
    if not (path / label).exists() and not (path / label).is_symlink():
        return None
    document = read_yaml(path / label, label, problems)
    if document is not None:
        documents[label] = document
    return document


def _metrics(path: Path, documents: dict[str, Document], problems: Problems) -> dict[str, str]:
    document = _single(path, "metrics.yaml", documents, problems)
    if document is None or document.value is None:
        return {}
    if not isinstance(document.value, dict):
        problems.add(document.where(), "must be a mapping", "write 'name: expression' lines")
        return {}
    found: dict[str, str] = {}
    for name, text in document.value.items():
        if not name.isidentifier():
            problems.add(document.where((name,)), f"'{name}' is no name", "use letters, digits and _")
        if isinstance(text, str):
            found[name] = text
        else:
            problems.add(document.where((name,)), f"'{name}' must be text", "write a metric expression")
    return found


def _rfm(path: Path, documents: dict[str, Document], problems: Problems) -> list[RfmModel]:
    document = _single(path, "rfm.yaml", documents, problems)
    if document is None:
        return []
    if not isinstance(document.value, list):
        one = declare(RfmModel, document, problems)
        return [one] if one else []
    made = [declare(RfmModel, document, problems, (index,)) for index in range(len(document.value))]
    return [model for model in made if model]


def _named(
    model: type[Model], path: Path, label: str, what: str, documents: dict[str, Document], problems: Problems
) -> dict[str, Model]:
    document = _single(path, label, documents, problems)
    if document is None or document.value is None:
        return {}
    if not isinstance(document.value, dict):
        problems.add(document.where(), "must be a mapping", f"write one 'name:' for each {what}")
        return {}
    made = {name: declare(model, document, problems, (name,)) for name in document.value}
    return {name: one for name, one in made.items() if one}


def _recommendations(
    path: Path, documents: dict[str, Document], problems: Problems
) -> Recommendations | None:
    document = _single(path, "recommendations.yaml", documents, problems)
    return None if document is None else declare(Recommendations, document, problems)


def _timelines(
    path: Path,
    files: dict[str, dict[str, Path]],
    documents: dict[str, Document],
    problems: Problems,
) -> dict[tuple[str, str], Timeline]:
    found: dict[tuple[str, str], Timeline] = {}
    for kind in ("tags", "triggers"):
        for name, file in timeline_files(path, kind).items():
            label = f"{kind}/{file.name}"
            if name not in files[kind]:
                problems.add(
                    f"{label}:1", f"there is no {name}.yaml beside it", suggest(name, files[kind], "rule")
                )
            document = read_yaml(file, label, problems)
            if document is None:
                continue
            documents[label] = document
            timeline = declare(Timeline, document, problems)
            if timeline is not None:
                found[(kind, name)] = timeline
    return found
