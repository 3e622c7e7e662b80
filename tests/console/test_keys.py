"""Keys: made at the first start, kept as hashes, heeded at once."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from console.keys import FILE_NAME, Keyring
from streams.errors import InputError
from tests.app.little_shop import write_shop
from tests.console.at_work import AtWork


def test_the_first_start_makes_one_key_of_each_scope_and_later_ones_none(tmp_path: Path) -> None:
    first = Keyring(tmp_path).begin()
    assert set(first) == {"read", "write"}
    assert Keyring(tmp_path).begin() == {}
    for scope, given in first.items():
        found = Keyring(tmp_path).find(given)
        assert found is not None
        assert found.scopes == [scope]


def test_only_hashes_are_kept_and_only_the_owner_may_read_them(tmp_path: Path) -> None:
    given = Keyring(tmp_path).add("desk", ["read"])
    text = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    assert given not in text
    assert given.rpartition("_")[2] not in text
    assert hashlib.sha256(given.encode()).hexdigest() in text
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("change", [lambda key: key + "x", lambda key: key[:-1], lambda key: key.upper(),
                                    lambda key: key.split("_")[1], lambda _: "", lambda _: "__"])  # fmt: skip
def test_nothing_but_the_whole_key_is_the_key(tmp_path: Path, change: Any) -> None:
    keyring = Keyring(tmp_path)
    given = keyring.add("desk", ["read"])
    assert keyring.find(given) is not None
    assert keyring.find(change(given)) is None


def test_an_unknown_scope_and_an_unknown_key_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'admin' is no scope"):
        Keyring(tmp_path).add("x", ["admin"])
    with pytest.raises(InputError, match="there is no such key"):
        Keyring(tmp_path).revoke("00000000")


def test_a_broken_file_is_told_and_nobody_is_let_in(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="is no list of keys"):
        Keyring(tmp_path).find("tt_x_y")


def test_the_command_lists_adds_and_revokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(write_shop(tmp_path, {}))

    def keys(*arguments: str) -> Any:
        assert main(["keys", folder, *arguments, "--json"]) == exits.OK
        return json.loads(capsys.readouterr().out)

    made = keys("add", "service desk", "--scope", "read", "--scope", "write")
    [told] = keys("list")["keys"]
    assert (told["name"], told["scopes"]) == ("service desk", ["read", "write"])
    assert made["key"] not in json.dumps(told)
    assert main(["keys", folder]) == exits.OK
    assert "service desk" in capsys.readouterr().out
    assert keys("revoke", told["id"]) == {"revoked": told["id"]}
    assert keys("list") == {"keys": []}
    assert main(["keys", folder, "add"]) == exits.BAD_INPUT
    assert "the new key needs a name" in capsys.readouterr().err


def test_a_shop_at_work_heeds_a_change_at_once(fresh: AtWork) -> None:
    other = Keyring(fresh.opened.data)
    given = other.add("desk", ["read"])
    headers = {"Authorization": f"Bearer {given}"}
    assert fresh.client.get("/v1/tags", headers=headers).status_code == 200
    other.revoke(given.split("_")[1])
    assert fresh.client.get("/v1/tags", headers=headers).status_code == 401


def test_keys_lie_where_the_environment_says_if_the_shop_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path / "shop", {})
    monkeypatch.setenv("TINTYPE_DATA", str(tmp_path / "data"))
    assert main(["keys", str(folder), "add", "reader"]) == 0
    assert Keyring(tmp_path / "data").find(capsys.readouterr().out.strip()) is not None
    assert not (folder / "data").exists()
