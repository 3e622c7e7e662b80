"""A person is erased: no file of the shop tells of them any more, and everything else is as it was (P7)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.embedded import Embedded, open_embedded
from app.inspect import find_customer
from sinks.deliveries.tag_changes import tag_changes_after
from streams.errors import InputError
from streams.live import append_epoch
from streams.log.log import Log
from streams.personal import erase as erasing
from streams.personal.find import references_of
from tests.app.stored import FromScratch, profiles_of
from tests.personal.persons import GONE, STAYS, message, shop_of_persons, story, traces

START = 29_540_000 * 60
SECONDS = 60.0


@contextmanager
def at_work(folder: Path) -> Iterator[Embedded]:
    began = time.time()
    with open_embedded(folder, lambda _: None, now=lambda: START + time.time() - began) as shop:
        shop.wait_until_ready()
        yield shop


def until(true) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def told(folder: Path) -> Path:
    """Return the folder of a shop that was told the story, and has sent its two messages."""
    with at_work(shop_of_persons(folder)) as shop:
        assert shop.service.accept(story()).result().accepted == 6
        until(lambda: len(sent(folder)) == 2)
    return folder


def sent(folder: Path) -> list[dict[str, str]]:
    path = folder / "data" / "sms.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def id_behind(folder: Path, reference: str) -> str | None:
    with Log.open(folder / "data") as log:
        return find_customer(log, reference)


def compared(shop: Embedded) -> dict[tuple[int, str], Any]:
    """Return the profiles served: they are a replay's from the log's beginning, and the recompute agrees."""
    shop.service.ask(lambda owner: owner.follow()).result()
    scratch = FromScratch(shop.log, shop.shop)
    assert scratch.differences() == []
    stored = profiles_of(shop.store, shop.shop, 1)
    assert stored == scratch.profiles()
    return stored


def test_what_is_personal_is_readable_in_no_file_but_the_messages_themselves(tmp_path: Path) -> None:
    """Only dead letters and what was sent hold what came in; the rest is sealed or hashed."""
    told(tmp_path)
    found = {Path(name).name for name, _ in traces(tmp_path / "data", GONE + STAYS)}
    assert found <= {"log.sqlite", "log.sqlite-wal", "sms.jsonl"}
    with Log.open(tmp_path / "data") as log:
        tables = ("block", "reference", "row", "parked", "source", "header")
        raw = "".join(repr(log.connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables)
    assert not [text for text in GONE + STAYS if text in raw]


def test_a_message_may_say_a_personal_attribute(tmp_path: Path) -> None:
    told(tmp_path)
    texts = {one["text"] for one in sent(tmp_path)}
    assert texts == {"李雷雷, you spent 2000", "王小明, you spent 3000"}


def test_nothing_tells_of_an_erased_person_in_the_raw_bytes_of_any_file(tmp_path: Path) -> None:
    told(tmp_path)
    data = tmp_path / "data"
    assert {text for _, text in traces(data, GONE)} >= {"M1001", "李雷雷"}
    with at_work(tmp_path) as shop:
        erased = shop.erase(bytes.fromhex(id_behind(tmp_path, "phone:13800001001") or ""))
        assert (erased.rows, sorted(erased.references), erased.dead_letters) == (
            3, ["member:M1001", "phone:13800001001"], 2,
        )  # fmt: skip
        assert traces(data, GONE) == []  # while it runs
        assert shop.log.vault.ciphers([bytes.fromhex(erased.customer)]) == {}
    assert traces(data, GONE) == []
    assert {text for _, text in traces(data, STAYS)} == {"M2002", "王小明"}
    assert id_behind(tmp_path, "member:M1001") is None
    assert [one["to"] for one in sent(tmp_path)] == ["member:M2002"]


def test_profiles_after_an_erasure_equal_the_recompute_and_a_replay(tmp_path: Path) -> None:
    told(tmp_path)
    whom = id_behind(tmp_path, "member:M1001")
    with at_work(tmp_path) as shop:
        shop.erase(bytes.fromhex(whom or ""))
        again = message("orders", 7, order_id=1, member_id="M2002", created_at="2026-03-01 09:00",
                        amount="1.00", status="paid")  # fmt: skip
        shop.service.accept([again]).result()
        stored = compared(shop)
        assert (0, whom) not in stored
        assert len(stored) == 1
    with at_work(tmp_path) as shop:  # the digest of the replay is that of the run
        assert profiles_of(shop.store, shop.shop, 1) == stored


def test_who_comes_again_after_an_erasure_is_new(tmp_path: Path) -> None:
    told(tmp_path)
    whom = id_behind(tmp_path, "member:M1001") or ""
    with at_work(tmp_path) as shop:
        shop.erase(bytes.fromhex(whom))
        row = message("members", 9, member_id="M1001", phone="13800001001", joined="2026-03-02 09:00",
                      name="李雷雷", city="广州")  # fmt: skip
        shop.service.accept([row]).result()
        stored = compared(shop)
        assert stored[0, whom]["metrics"]["spend"] == 0
        assert references_of(shop.log, bytes.fromhex(whom)) == ["member:M1001", "phone:13800001001"]


@pytest.mark.parametrize("where", ["finish", "_forget_messages", "_free_list", "place_controls"])
def test_an_erasure_that_is_cut_short_is_whole_or_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    told(tmp_path)
    data, whom = tmp_path / "data", bytes.fromhex(id_behind(tmp_path, "member:M1001") or "")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    (data / "orders.csv.rejected.csv").write_text("where,problem,hint,member\nx:1,bad,mend it,M1001\n")
    with Log.open(data, write=True) as log, monkeypatch.context() as patched:
        patched.setattr(erasing, where, crash)
        with pytest.raises(KeyboardInterrupt):
            erasing.erase(log, FromScratch(log, _shop(tmp_path)).shop.sources, whom, 0, "live")
    with at_work(tmp_path) as shop:
        if where != "finish":
            assert id_behind(tmp_path, "member:M1001") is not None
            shop.erase(whom)
    assert [one for one in traces(data, GONE) if "sms.jsonl" not in one[0]] == []


def _shop(folder: Path):
    from app.load import load_shop

    return load_shop(folder)


def test_what_the_person_was_called_before_is_sought_too(tmp_path: Path) -> None:
    """A dead letter under a former name goes, though the row has another name by now."""
    told(tmp_path)
    at = "2026-03-01 09:00"
    with at_work(tmp_path) as shop:
        now = message("members", 5, member_id="M1001", phone="13800001001", joined=at, name="李蕾", city="")
        broken = message("members", 6, member_id="", phone="", joined="soon", name="李雷雷", city="上海")
        assert shop.service.accept([now, broken]).result().accepted == 1
        assert shop.erase(bytes.fromhex(id_behind(tmp_path, "member:M1001") or "")).dead_letters == 3
    assert traces(tmp_path / "data", (*GONE, "李蕾")) == []


def test_the_command_asks_erases_and_says_what_it_did(tmp_path: Path, capsys) -> None:
    told(tmp_path)
    assert main(["erase", str(tmp_path), "member:M1001", "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["references"], said["dead_letters"]) == (3, 2, 2)
    assert main(["erase", str(tmp_path), "member:M1001", "--yes"]) == 2
    assert traces(tmp_path / "data", GONE) == []


def test_an_export_has_everything_readable_and_nothing_of_others(tmp_path: Path, capsys) -> None:
    told(tmp_path)
    assert main(["export", str(tmp_path), "phone:13800001001"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["references"] == ["member:M1001", "phone:13800001001"]
    assert [row["name"] for row in said["rows"]["members"]] == ["李雷雷"]
    assert [row["recipient"] for row in said["rows"]["parcels"]] == ["韩梅梅"]
    assert [row["amount"] for row in said["rows"]["orders"]] == [2000]
    assert len(said["decisions"]) == 1
    assert not [text for text in STAYS if text in json.dumps(said, ensure_ascii=False)]


def test_what_is_kept_of_changes_of_tags_names_nobody_and_goes_on_behind_an_erasure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pages are packed, so that they are read here as a reader gets them. The erased person's tags are left,
    and no cursor breaks."""
    told(tmp_path)
    capsys.readouterr()
    assert main(["export", str(tmp_path), "member:M1001"]) == 0
    mine = json.loads(capsys.readouterr().out)["tag_changes"]
    whom = id_behind(tmp_path, "member:M1001") or ""
    assert {one["customer"] for one in mine} == {whom}
    assert [one["what"] for one in mine if one["change"] == "enter"] == ["普通"]
    with at_work(tmp_path) as shop:
        before = tag_changes_after(shop.ledger.connection, None, 1000)
        shop.erase(bytes.fromhex(whom))
        shop.service.ask(lambda owner: owner.follow()).result()
        until(lambda: tag_changes_after(shop.ledger.connection, before[1], 1000)[0])
        left = tag_changes_after(shop.ledger.connection, before[1], 1000)[0]
        assert ("普通", "leave", whom) in [(one.what, one.change, one.customer) for _, one in left]
        kept = tag_changes_after(shop.ledger.connection, None, 1000)[0]
        assert kept[: len(before[0])] == before[0]
        said = json.dumps([asdict(one) for _, one in kept], ensure_ascii=False)
    assert not [text for text in GONE + STAYS if text in said]


def test_rows_that_moved_away_are_resealed_so_that_their_old_records_can_be_forgotten(tmp_path: Path) -> None:
    """A parcel of M2002 turns out to be M1001's: when M1001 is erased, the record under M2002's key goes too,
    and M2002's own data stay readable."""
    told(tmp_path)
    data, whom = tmp_path / "data", bytes.fromhex(id_behind(tmp_path, "member:M1001") or "")
    other = bytes.fromhex(id_behind(tmp_path, "member:M2002") or "")
    with at_work(tmp_path) as shop:
        moved = message("parcels", 8, parcel_id=2, order_id=1, created_at="2026-03-01 09:00",
                        recipient="韩梅梅", carrier="SF")  # fmt: skip
        shop.service.accept([moved]).result()
        assert shop.log.vault.formers(whom) == [other]
        before = shop.log.vault.ciphers([other])[other]
        shop.erase(whom)
        after = shop.log.vault.ciphers([other])[other]
        assert len(before) == len(after) == 1
        assert before != after
        compared(shop)
    assert main(["export", str(tmp_path), "member:M2002"]) == 0
    assert traces(data, GONE) == []


def test_a_log_without_its_vault_is_refused_with_what_to_do(tmp_path: Path) -> None:
    told(tmp_path)
    (tmp_path / "data" / "vault.sqlite").unlink()
    with pytest.raises(InputError, match="the log's vault is missing: restore it"):
        Log.open(tmp_path / "data")


def test_an_epoch_can_begin_after_an_erasure(tmp_path: Path) -> None:
    """What is erased leaves the directory's keys and positions (W3)."""
    told(tmp_path)
    with at_work(tmp_path) as shop:
        shop.erase(bytes.fromhex(id_behind(tmp_path, "member:M1001") or ""))
    with Log.open(tmp_path / "data", write=True) as log:
        query = "SELECT count(*), sum(alive) FROM row"
        assert log.connection.execute(query).fetchone() == (6, 3)
        assert append_epoch(log, "orders") == 1
