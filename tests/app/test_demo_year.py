"""The demo's year over a log that another command has opened before it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from app.cli import main
from app.demo.year import Year
from app.load import load_shop
from app.log_folder import open_log
from app.runtime import keep_settings
from streams.control import Control
from streams.errors import InputError
from streams.live import append_controls
from tests.app.little_shop import write_shop
from tests.console.recommending_shop import AT, FILES

LATER = 100_000  # an epoch minute
TICK = Control("tick", None, "{}")


def year(shop: Path) -> tuple[Year, io.StringIO]:
    text = io.StringIO()
    return Year(shop, Console(file=text, width=110), False, 1, "en"), text


def test_a_log_that_was_begun_without_the_year_is_told(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", FILES)
    declared = load_shop(shop)
    with open_log(shop, declared, write=True) as log:
        keep_settings(log, declared)
        append_controls(log, [TICK], LATER)
    with pytest.raises(InputError, match="was run before the year was imported"):
        year(shop)[0].play()


def test_a_year_whose_clock_has_gone_on_is_followed_and_audited(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", FILES)
    lines = f"line,member_id,at,sku,pieces\n1,M1,{AT},T1,1\n"
    (tmp_path / "lines.csv").write_text(lines, encoding="utf-8")
    assert main(["import", str(shop), str(tmp_path / "lines.csv"), "--source", "lines"]) == 0
    assert year(shop)[0].play()["differences"] == []
    with open_log(shop, load_shop(shop), write=True) as log:
        append_controls(log, [TICK], log.clock() or 0)  # in the minute where the snapshot stands
    again, text = year(shop)
    assert again.play()["differences"] == []
    assert "from scratch" in text.getvalue()
