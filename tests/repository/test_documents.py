"""Commands, keys and words are in the documents, and what the documents show exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.main import get_command

from app.cli import app, main
from app.documents.declaration import keys_of
from app.documents.schemas import FOLDER, schema_files
from app.shop import ClickHouse, Kafka, Links, Settings, TriggerSettings
from rfm.model import FixedCuts, RfmModel, Segment
from sinks.channels.channel import Channel
from sinks.channels.cloud.settings import ProviderTemplate
from sinks.channels.kinds import PROVIDERS
from sinks.channels.settings import Limit
from sinks.coupons.pool import Pool, Redeemed
from sinks.recommendations.declaration import (
    Catalogue,
    Interest,
    Personalised,
    Recommendations,
    Rules,
    Slot,
)
from sinks.texts.words import Words
from streams.contract.source import Column, EventTime, FileFormat, Reference, Source, Via
from tags.tag import Tag
from triggers.shop_guards import Cap, QuietHours, ShopGuards
from triggers.trigger import Absence, Action, Event, Forecast, Guards, Pace, Schedule, Trigger, When

ROOT = Path(__file__).resolve().parents[2]
COMMANDS: dict[str, Any] = dict(get_command(app).commands)  # type: ignore[attr-defined]  # a group has commands
MODELS: list[type[BaseModel]] = [
    Settings, Kafka, ClickHouse, TriggerSettings, Links, Source, Column, Reference, Via, EventTime,
    FileFormat, RfmModel, Segment, FixedCuts, Tag, Trigger, When, Event, Absence, Schedule, Guards, Forecast,
    Pace, Action, Channel, ShopGuards, QuietHours, Cap, Limit, Pool, Redeemed,
    Recommendations, Catalogue, Interest, Slot, Rules, Personalised,
    Words, *PROVIDERS, ProviderTemplate,
]  # fmt: skip


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(command: str) -> str:
    """Return the part of docs/cli.md on one command."""
    parts = re.split(r"^## ", text("docs/cli.md"), flags=re.MULTILINE)
    found = [part for part in parts if re.match(rf"tintype {command}\b", part)]
    assert len(found) == 1, f"docs/cli.md needs one heading '## tintype {command}'"
    return found[0]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_documents_with_its_options(name: str) -> None:
    told = section(name) + text("docs/cli.md").split("## ")[0]
    options = [option for one in COMMANDS[name].params for option in one.opts if option.startswith("--")]
    assert [option for option in options if f"`{option}" not in told and f"**`{option}" not in told] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_answers_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_the_documents_tell_of_no_command_that_does_not_exist() -> None:
    told = re.findall(r"^## tintype (\w+)", text("docs/cli.md"), flags=re.MULTILINE)
    assert sorted(told) == sorted(COMMANDS)


def shown_commands(document: str) -> list[str]:
    """Return the commands that a document shows in its fenced blocks."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", document, flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(make|\./tintype|tintype)(?=\s|$)", line)]


@pytest.mark.parametrize("name", ["README.md", "docs/cli.md"])
def test_every_command_that_a_document_shows_exists(name: str) -> None:
    if not (ROOT / name).exists():
        pytest.skip(f"{name} is not written yet")
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), flags=re.MULTILINE))
    for line in shown_commands(text(name)):
        word, *rest = line.split()
        first = rest[0] if rest else "help"
        assert first in (targets if word == "make" else {*COMMANDS, "--help"}), f"{name} shows '{line}'"


def test_every_make_target_is_in_make_help() -> None:
    makefile = text("Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert targets == set(re.findall(r"^([a-z-]+):.*##", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_of_a_shop_is_in_the_documents(model: type[BaseModel]) -> None:
    told = text("docs/configuration.md")
    keys = [key for key in keys_of(model) if key != "name" or model in (Settings, RfmModel, Segment)]
    assert [key for key in keys if f"`{key}`" not in told] == []


def test_the_schemas_are_up_to_date() -> None:
    """``tintype schema`` writes them anew."""
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert written == schema_files()


WORDS = (
    "event time", "clock", "late", "trailing window", "change", "retract", "apply", "advance",
    "position", "partition", "profile", "metric", "recency", "frequency", "monetary", "score", "tag",
    "segment", "audience", "trigger", "decision", "guard", "action", "delivery", "shadow", "outbox",
    "dead letter",
)  # fmt: skip


def test_the_glossary_has_every_word_once_and_in_order() -> None:
    told = re.findall(r"^\| \*\*(.+?)\*\* \|", text("docs/glossary.md"), flags=re.MULTILINE)
    assert [word for word in WORDS if word not in told] == []
    assert told == sorted(set(told))
