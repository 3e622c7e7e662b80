"""A shop is opened beside the process that writes its log."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.load import load_shop
from app.log_folder import open_log
from app.runtime import keep_settings, open_shop

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "online-retail"


def test_a_log_that_another_writes_is_opened_for_reading_and_its_settings_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """P2: what is in force stands in the log; a changed folder changes nothing while another writes."""
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLE, folder)
    settings = folder / "tintype.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("../../.data/online-retail", "data"))
    shop = load_shop(folder)
    with open_log(folder, shop, write=True) as log:
        assert keep_settings(log, shop)
        steps = log.next_steps()
        settings.write_text(settings.read_text(encoding="utf-8").replace('"GBP"', '"EUR"'))
        with open_shop(folder) as runtime:
            runtime.catch_up()
            assert runtime.shop.settings.currency == "GBP"
        assert log.next_steps() == steps
    assert "its settings hold here too" in capsys.readouterr().err
