"""Where history's server is: the folder says it, the environment wins; a password is only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.clickhouse_address import clickhouse_address
from app.load import load_shop
from app.replay import canonical
from streams.errors import InputError
from tests.app.little_shop import GOOD, write_shop

SETTINGS = '\n[clickhouse]\naddress = "c:9440"\ndatabase = "memory"\nsecure = true\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TINTYPE_CLICKHOUSE", "TINTYPE_CLICKHOUSE_USER", "TINTYPE_CLICKHOUSE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return write_shop(tmp_path / "shop", {"tintype.toml": GOOD["tintype.toml"] + SETTINGS})


def test_the_folder_says_where_it_is(folder: Path) -> None:
    at = clickhouse_address(load_shop(folder))
    assert (at.host, at.port, at.database, at.user, at.password) == ("c", 9440, "memory", "default", "")
    assert at.secure


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_CLICKHOUSE", "[::1]:9000")
    monkeypatch.setenv("TINTYPE_CLICKHOUSE_USER", "tintype")
    monkeypatch.setenv("TINTYPE_CLICKHOUSE_PASSWORD", "s3cret")
    at = clickhouse_address(load_shop(folder))
    assert (at.host, at.port, at.user, at.password) == ("::1", 9000, "tintype", "s3cret")
    assert "s3cret" not in repr(at)


def test_a_shop_that_says_nothing_has_a_database_of_its_name(folder: Path, tmp_path: Path) -> None:
    shop = load_shop(write_shop(tmp_path / "plain", {}))
    at = clickhouse_address(shop)
    assert (at.host, at.port, at.database) == ("localhost", 9000, f"tintype_{shop.settings.name}")


@pytest.mark.parametrize("address", ["clickhouse", ":9000", "clickhouse:", "clickhouse:99999", "c:http"])
def test_what_is_no_address_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TINTYPE_CLICKHOUSE", address)
    with pytest.raises(InputError, match="is no address"):
        clickhouse_address(load_shop(folder))


def test_an_address_is_no_setting_of_the_log(folder: Path, tmp_path: Path) -> None:
    """P2: moving the server changes no result, so it writes no settings record."""
    assert canonical(load_shop(folder)) == canonical(load_shop(write_shop(tmp_path / "plain", {})))
