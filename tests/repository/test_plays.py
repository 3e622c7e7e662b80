"""The plays of examples/shop are whole: a page, tags, triggers, timelines, and texts in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.folder import Folder
from app.load import read_folder
from sinks.texts.words import spoken

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "docs" / "plays"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PLACE.glob("*.md"))}
INDEX = PAGES.pop("README")
PLAYS = ["after-sale", "cart-abandoned", "dormant", "new-product", "restock", "shipping-notice", "tiers",
         "vip-desk", "welcome"]  # fmt: skip
ASIDE = {"browsed_not_bought", "morning_note", "third_order", "vip_welcome", "win_back"}  # no plays
TRANSACTIONAL = {"after_sale_care", "shipping_notice", "vip_desk"}


@pytest.fixture(scope="module")
def folder() -> Folder:
    return read_folder(ROOT / "examples" / "shop")


def named(page: str, what: str) -> list[str]:
    """Return the files of a kind that a page names in its table."""
    return re.findall(rf"^\| {what}[^|]*\| `([^`]+)`", PAGES[page], re.MULTILINE)


def test_the_index_and_the_readme_lead_to_every_page() -> None:
    assert sorted(PAGES) == PLAYS
    assert [name for name in PLAYS if f"]({name}.md)" not in INDEX] == []
    assert "docs/plays/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PLAYS)
def test_a_play_has_all_its_parts(page: str, folder: Folder) -> None:
    tags, triggers, texts = (named(page, what) for what in ("tag", "trigger", "text"))
    assert tags
    assert triggers
    assert texts
    for file in (*tags, *triggers):
        kind, _, name = file.removesuffix(".yaml").partition("/")
        assert name in (folder.shop.tags if kind == "tags" else folder.shop.triggers), file
        assert (kind, name) in folder.timelines, file
        assert f"`{kind}/{name}.test.yaml`" in PAGES[page]
    actions = [folder.shop.triggers[Path(file).stem].action for file in triggers]
    assert [f"{one.channel}/{one.template}" for one in actions] == texts
    for one in actions:
        assert set(spoken(folder.shop.channels[one.channel].templates[one.template])) == {"zh", "en"}


@pytest.mark.parametrize("page", PLAYS)
def test_what_sells_asks_for_consent_and_never_comes_twice(page: str, folder: Folder) -> None:
    for file in named(page, "trigger"):
        trigger = folder.shop.triggers[Path(file).stem]
        transactional = trigger.name in TRANSACTIONAL
        assert (trigger.purpose == "transactional") == transactional
        assert (trigger.guards.consent is None) == transactional
        assert trigger.guards.cool_down or trigger.guards.once or trigger.name == "shipping_notice"
        assert trigger.action.channel == "desk" or "language" in trigger.action.values


def test_every_trigger_of_the_shop_belongs_to_a_play_or_is_known_not_to(folder: Folder) -> None:
    of_plays = {Path(file).stem for page in PLAYS for file in named(page, "trigger")}
    assert set(folder.shop.triggers) - of_plays == ASIDE


def test_the_shop_has_a_hold_out_quiet_hours_and_caps(folder: Folder) -> None:
    guards = folder.shop.settings.guards
    assert guards is not None
    assert guards.hold_out
    assert guards.quiet_hours
    assert len(guards.caps) == 2
