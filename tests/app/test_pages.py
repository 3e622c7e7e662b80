"""The profile page in both languages."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.load import load_shop
from app.moments import parse_moment
from app.pages.amounts import write_value
from app.pages.labels import LABELS
from app.pages.profile_page import profile_page
from rules.types import Type
from tests.app.little_shop import GOOD, write_shop

NOW = parse_moment("2026-03-01 09:30", None, "Asia/Shanghai")
PROFILE: dict[str, Any] = {
    "id": "0123456789abcdef0123456789abcdef",
    "references": ["member:M1", "phone:138"],
    "as_of": NOW,
    "attributes": {"status": "paid", "nothing": None},
    "metrics": {"spend": 500_001},
    "rfm": {
        "rfm": {"recency": 30, "frequency": 2, "monetary": 500_001, "r": 5, "f": 4, "m": 3, "segment": "Best"}
    },
    "tags": {
        "vip": {
            "since": NOW - 30,
            "until": NOW + 60,
            "manual": True,
            "why": {
                "rule": "spend >= 500000",
                "values": {"spend": 500_001},
                "edges": {"spend": (NOW - 60, NOW + 1)},
                "rows": [{"source": "orders", "minute": NOW - 30, "amount": 500_001, "status": "paid"}],
            },
        }
    },
}


def page(folder: Path, profile: dict[str, Any], language: str) -> str:
    toml = GOOD["tintype.toml"].replace("\nzone", f'\nlanguage = "{language}"\nzone')
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(profile_page(load_shop(write_shop(folder, {"tintype.toml": toml})), profile))
    return console.export_text()


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ["Customer", "since 2026-03-01 09:00", "until 2026-03-01 10:30", "set by hand", "orders 2"]),
        ("zh", ["客户", "自 2026-03-01 09:00", "至 2026-03-01 10:30", "人工设置", "次数 2", "30 分钟前"]),
    ],
)
def test_the_page_shows_who_what_and_why_in_the_shops_language(
    tmp_path: Path, language: str, shown: list[str]
) -> None:
    text = page(tmp_path, PROFILE, language)
    for part in [
        *shown,
        "member:M1",
        "phone:138",
        "5 4 3",
        "Best",
        "5,000.01 CNY",
        "spend >= 500000",
        "2026-03-01 09:00",
        "paid",
    ]:
        assert part in text, text


def test_a_customer_outside_the_population_without_tags_has_a_page_too(tmp_path: Path) -> None:
    """R2: without a counted order all of RFM is null."""
    outside = dict.fromkeys(("recency", "frequency", "monetary", "r", "f", "m", "segment"))
    bare = {**PROFILE, "references": [], "tags": {}, "rfm": {"rfm": outside}, "metrics": {"spend": 0}}
    text = page(tmp_path, bare, "en")
    assert "outside: nothing counted in the window" in text
    assert "none is held" in text
    assert "0.00 CNY" in text


def test_both_languages_have_the_same_words() -> None:
    assert set(LABELS["en"]) == set(LABELS["zh"])


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (-5, Type("number", scale=2, currency="GBP"), "-0.05 GBP"),
        (-123_456, Type("number", scale=3), "-123.456"),
        (1_234_567, None, "1,234,567"),
        ((-5, 2), Type("average", scale=2, currency="CNY"), "≈ -0.025 CNY"),
        ((2, 3), Type("average", scale=0), "≈ 0.7"),
        ((0, 0), Type("average", scale=0), "–"),
        (True, None, "True"),
    ],
)
def test_values_are_written_exactly_in_their_unit(value: object, kind: Type | None, text: str) -> None:
    assert write_value(value, kind) == text
