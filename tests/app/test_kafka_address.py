"""Where brokers, Connect and connector files are: the folder says it, the environment wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.kafka_address import kafka_address
from app.load import load_shop
from app.replay import canonical
from streams.errors import InputError
from tests.app.little_shop import GOOD, write_shop

KAFKA = '\n[kafka]\nbootstrap = "a:9092,b:9092"\nconnect = "http://c:8083"\nconnectors = "feeds"\n'
FILE = {"name": "orders", "config": {"connector.class": "x.PostgresConnector", "topic.prefix": "shop"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", {
        "tintype.toml": GOOD["tintype.toml"] + KAFKA, "feeds/orders.json": json.dumps(FILE),
    })  # fmt: skip


def test_the_folder_says_where_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TINTYPE_KAFKA", "TINTYPE_CONNECT"):
        monkeypatch.delenv(name, raising=False)
    at = kafka_address(folder, load_shop(folder))
    assert (at.bootstrap, at.connectors.rest.url) == ("a:9092,b:9092", "http://c:8083")
    assert list(at.files) == ["orders"]


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_KAFKA", "d:9092")
    monkeypatch.setenv("TINTYPE_CONNECT", "https://e:8083/")
    at = kafka_address(folder, load_shop(folder))
    assert (at.bootstrap, at.connectors.rest.url) == ("d:9092", "https://e:8083")


def test_a_connect_that_is_no_address_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_CONNECT", "localhost:8083")
    with pytest.raises(InputError, match="is no address"):
        kafka_address(folder, load_shop(folder))


def test_a_shop_whose_folder_of_connectors_is_not_there_is_told(folder: Path) -> None:
    (folder / "feeds" / "orders.json").unlink()
    (folder / "feeds").rmdir()
    with pytest.raises(InputError, match="there is no such folder"):
        kafka_address(folder, load_shop(folder))


def test_an_address_is_no_setting_of_the_log(folder: Path, tmp_path: Path) -> None:
    """P2: moving the brokers changes no result, so it writes no settings record."""
    plain = write_shop(tmp_path / "plain", {})
    assert canonical(load_shop(folder)) == canonical(load_shop(plain))
