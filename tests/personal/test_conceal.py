"""References, and keys of rows that name a person, enter a log as keyed hashes (semantics P7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from streams.change import Changes
from streams.contract.check import check_rows
from streams.contract.columns import file_columns
from streams.decode.chunk import TEXT
from streams.personal.conceal import Names, conceal, keys_of_parents, names_person
from streams.personal.vault import Vault
from tests.called import hidden
from tests.streams.small_shop import ORDERS, PARCELS, source

ORDER: dict[str, str | None] = {
    "id": "A1", "member": "1042", "phone": None, "at": "2026-03-01 10:00", "amount": "1.50", "status": "paid",
}  # fmt: skip
MEMBERS: dict[str, Any] = {
    "key": ["member"], "references": [{"type": "member", "column": "member"}],
    "event_time": {"column": "at"}, "columns": {"name": {"type": "text", "personal": True}},
}  # fmt: skip
POINTS: dict[str, Any] = {**PARCELS, "via": {"source": "members", "column": "member"}}


def concealed(folder: Path, rows: list[dict[str, str | None]], name: str = "orders") -> Changes:
    """Return rows of a source as they go on behind their contract."""
    declared = {"orders": ORDERS, "members": MEMBERS, "points": POINTS}
    sources = {each: source(each, what) for each, what in declared.items()}
    headings = file_columns(sources[name])
    table = pa.Table.from_arrays([pa.array([row.get(h) for row in rows], TEXT) for h in headings], headings)
    checked = check_rows(sources[name], sources, table, ZoneInfo("UTC"))
    assert checked.faults == []
    vault = Vault.open(folder, True) if (folder / "vault.sqlite").exists() else Vault.create(folder)
    changes = conceal(vault, Names(vault), sources, checked.changes)
    vault.close()
    return changes


def test_a_reference_becomes_its_type_and_a_keyed_hash(tmp_path: Path) -> None:
    found = concealed(tmp_path, [ORDER, {**ORDER, "member": None, "phone": "138"}])
    assert found.references[0].to_pylist() == [hidden("member:1042"), None]
    assert found.references[1].to_pylist() == [None, hidden("phone:138")]


def test_another_secret_makes_other_hashes(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder, secret in zip(folders, (bytes(32), b"\1" * 32), strict=True):
        folder.mkdir()
        Vault.create(folder, secret).close()
    one, two = (concealed(folder, [ORDER]).references[0].to_pylist() for folder in folders)
    assert one != two


def test_the_key_of_a_row_is_hidden_where_it_names_a_person_and_only_there(tmp_path: Path) -> None:
    plain = concealed(tmp_path, [ORDER])
    assert not names_person(source("orders", ORDERS))
    assert names_person(source("members", MEMBERS))
    members: list[dict[str, str | None]] = [{"member": "1042", "at": "2026-03-01 10:00", "name": "李雷"}]
    first, again = (concealed(tmp_path, members, "members") for _ in range(2))
    assert first.key_high.tolist() == again.key_high.tolist()
    assert first.key_low.tolist() != plain.key_low.tolist()
    other = tmp_path / "other"
    other.mkdir()
    Vault.create(other, b"\1" * 32).close()
    assert concealed(other, [ORDER]).key_low.tolist() == plain.key_low.tolist()
    assert concealed(other, members, "members").key_low.tolist() != first.key_low.tolist()


def test_who_names_a_hidden_row_as_parent_finds_it(tmp_path: Path) -> None:
    """W8: a row's parent is the same row, by the hidden key."""
    row: dict[str, str | None] = {"member": "1042", "at": "2026-03-01 10:00", "name": "x"}
    parent = concealed(tmp_path, [row], "members")
    child = concealed(
        tmp_path, [{"parcel": "P1", "member": "1042", "at": "2026-03-01 10:00", "carrier": "SF"}], "points"
    )
    assert (child.parent_high.tolist(), child.parent_low.tolist()) == (
        parent.key_high.tolist(), parent.key_low.tolist(),
    )  # fmt: skip
    assert "1042" not in child.parent.to_pylist()[0]
    high, low = keys_of_parents(source("members", MEMBERS), child.parent)
    assert (high.tolist(), low.tolist()) == (parent.key_high.tolist(), parent.key_low.tolist())


def test_the_content_changes_with_anything_that_is_kept_and_with_nothing_else(tmp_path: Path) -> None:
    """W2: an unchanged row is recognised by its content."""
    rows = [ORDER, {**ORDER, "remark": "x"}, {**ORDER, "amount": "1.5"}, {**ORDER, "amount": "1.51"},
            {**ORDER, "status": None}, {**ORDER, "member": "2"}, {**ORDER, "phone": "1"},
            {**ORDER, "at": "2026-03-01 10:01"}]  # fmt: skip
    content = concealed(tmp_path, rows).content.tolist()
    assert content[0] == content[1] == content[2]
    assert len({content[0], *content[3:]}) == 6


@pytest.mark.parametrize("name", ["李雷", None])
def test_content_over_personal_columns_is_a_keyed_hash(tmp_path: Path, name: str | None) -> None:
    """What is short could be found by trying: not without the secret."""
    rows = [{"member": None, "at": "2026-03-01 10:00", "name": name}]
    rows[0]["member"] = "1"
    other = tmp_path / "other"
    other.mkdir()
    Vault.create(other, b"\1" * 32).close()
    here, there = (concealed(folder, rows, "members").content for folder in (tmp_path, other))
    assert np.all(here != there)
