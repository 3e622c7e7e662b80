"""Importing files into the log: order, minutes, identity of rows, and doing it twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xxhash

from streams.decode import csv as csv_module
from streams.errors import InputError
from streams.identity.references import References
from streams.intake import import_files
from streams.log.log import Log
from streams.log.rows import read_control
from streams.report import Progress
from tests.streams.small_shop import new_log, rows, shop, take, write_csv

SHOP = shop()
MONDAY = """
    id,member,phone,at,amount,status
    A2,1042,,2026-03-02 10:00,20.00,paid
    A1,1042,138,2026-03-01 09:00,100,paid
    A3,2000,,2026-03-02 10:00,30.5,
"""


def minute(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() // 60)


def dump(log: Log) -> str:
    """Return a hash of everything the file holds."""
    whole = hashlib.sha256()
    for table in ("header", "block", "source", "reference", "row", "parked"):
        for row in log.connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):
            whole.update(repr(row).encode())
    return whole.hexdigest()


def test_rows_go_by_event_time_each_with_its_own_minute(tmp_path: Path) -> None:
    """T2, W9: order of (event time, source, key), append minute = event minute."""
    with new_log(tmp_path) as log:
        report = take(log, SHOP, tmp_path, orders=MONDAY)
        frame = rows(log, SHOP, "orders")
    assert (report.rows, report.new, report.records) == (3, 3, 6)  # three references are records too
    assert frame["amount"].tolist()[0] == 10000
    assert sorted(frame["amount"].tolist()[1:]) == [2000, 3050]
    assert frame["minute"].tolist() == [minute("2026-03-01 09:00"), *[minute("2026-03-02 10:00")] * 2]
    keys = list(zip(frame["key_high"], frame["key_low"], strict=True))
    assert keys[1] < keys[2]  # equal event times go by key
    assert frame["offset"].tolist() == [1, 2, 3]
    assert frame["status"].isna().tolist().count(True) == 1
    assert set(frame["mode"]) == {"import"}


def test_a_late_row_is_appended_at_the_clock(tmp_path: Path) -> None:
    """T2: the clock never runs back."""
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=MONDAY)
        take(log, SHOP, tmp_path, orders="id,member,phone,at,amount,status\nB1,7,,2025-01-01 00:00,1,x")
        assert rows(log, SHOP, "orders")["minute"].tolist()[-1] == minute("2026-03-02 10:00")
        assert log.clock() == minute("2026-03-02 10:00")


@pytest.mark.parametrize("partitions", [1, 4])
def test_the_same_file_twice_changes_nothing(tmp_path: Path, partitions: int) -> None:
    """W2: no record, not a byte."""
    with new_log(tmp_path, partitions) as log:
        take(log, SHOP, tmp_path, orders=MONDAY)
        before = dump(log)
        report = take(log, SHOP, tmp_path, orders=MONDAY)
        assert dump(log) == before
    assert (report.unchanged, report.new, report.updated, report.records) == (3, 0, 0, 0)


def test_a_changed_line_is_an_update_and_the_older_file_wins_again_when_it_comes_later(
    tmp_path: Path,
) -> None:
    """W2: the example of monday.csv and tuesday.csv."""
    tuesday = MONDAY.replace("A1,1042,138,2026-03-01 09:00,100", "A1,1042,138,2026-03-01 09:00,120")
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=MONDAY)
        second = take(log, SHOP, tmp_path, orders=tuesday)
        third = take(log, SHOP, tmp_path, orders=MONDAY)
        frame = rows(log, SHOP, "orders")
    assert (second.updated, second.unchanged, third.updated) == (1, 2, 1)
    assert frame["op"].tolist() == [0, 0, 0, 2, 2]
    assert frame["amount"].tolist()[3:] == [12000, 10000]
    assert frame["offset"].tolist() == [1, 2, 3, 4, 5]


def test_of_several_lines_with_one_key_the_last_counts_and_twice_changes_nothing(tmp_path: Path) -> None:
    """W2: versions of a row in one file do not undo each other when the file comes again."""
    text = MONDAY + "    A1,1042,138,2026-03-01 09:00,120,paid\n"
    with new_log(tmp_path) as log:
        first = take(log, SHOP, tmp_path, orders=text)
        before = dump(log)
        again = take(log, SHOP, tmp_path, orders=text)
        assert dump(log) == before
        assert rows(log, SHOP, "orders")["amount"].tolist()[0] == 12000
    assert (first.superseded, first.new, again.superseded, again.unchanged) == (1, 3, 1, 3)


def test_files_of_several_sources_are_merged_by_event_time(tmp_path: Path) -> None:
    """W9: one history."""
    both = {
        "orders": MONDAY,
        "parcels": "parcel,order,at,carrier\nP1,A1,2026-03-01 12:00,SF\nP2,A2,2026-03-03 12:00,",
    }
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, **both)
        orders, parcels = rows(log, SHOP, "orders"), rows(log, SHOP, "parcels")
    assert orders["step"].iloc[0] < parcels["step"].iloc[0] < orders["step"].iloc[1] < parcels["step"].iloc[1]
    assert parcels["customer"].tolist() == [orders["customer"].iloc[0]] * 2
    assert parcels["reference"].tolist() == ["orders:A1", "orders:A2"]


@pytest.mark.parametrize("partitions", [1, 4, 16])
def test_customers_are_hashed_into_partitions_and_all_stand_at_one_minute_afterwards(
    tmp_path: Path, partitions: int
) -> None:
    """P1, R5: partition = xxh3_64(id) mod P; steps are dense; lagging partitions get a tick."""
    text = "id,member,phone,at,amount,status\n" + "\n".join(
        f"A{n},{n % 50},,2026-03-01 10:{n % 60:02d},1,paid" for n in range(300)
    )
    with new_log(tmp_path, partitions) as log:
        take(log, SHOP, tmp_path, orders=text)
        frame, control = rows(log, SHOP, "orders"), read_control(log)
        assert [log.clock(part) for part in range(partitions)] == [minute("2026-03-01 10:59")] * partitions
        next_steps = log.next_steps()
    expected = [xxhash.xxh3_64_intdigest(bytes.fromhex(who)) % partitions for who in frame["customer"]]
    assert frame["partition"].tolist() == expected
    for part in range(partitions):
        steps = [
            *frame.loc[frame["partition"] == part, "step"],
            *control.loc[control["partition"] == part, "step"],
        ]
        assert sorted(steps) == list(range(next_steps[part]))


def test_final_content_does_not_depend_on_the_number_of_partitions(tmp_path: Path) -> None:
    """L4: the same rows, customers and minutes at P = 1, 4, 16."""
    seen = []
    for partitions in (1, 4, 16):
        folder = tmp_path / str(partitions)
        with new_log(folder, partitions) as log:
            take(log, SHOP, folder, orders=MONDAY)
            frame = rows(log, SHOP, "orders").drop(columns=["partition", "step"])
            seen.append(frame.sort_values("offset").to_dict("records"))
    assert str(seen[0]) == str(seen[1]) == str(seen[2])


def test_the_log_is_the_same_whatever_the_size_of_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: how the file is cut while it is read leaves no trace."""
    text = "id,member,phone,at,amount,status\n" + "\n".join(
        f'A{n},{n % 7},,2026-03-0{n % 9 + 1} 10:00,{n},"a\nb"' for n in range(500)
    )
    seen = set()
    for size in (64, 1000, 1 << 20):
        monkeypatch.setattr(csv_module, "BLOCK_BYTES", size)
        folder = tmp_path / str(size)
        with new_log(folder, 4) as log:
            path = folder / "orders.csv"
            path.write_text(text)
            import_files(log, SHOP, [("orders", path)])
            seen.add(dump(log))
    assert len(seen) == 1


def test_blocks_hold_at_most_4096_records(tmp_path: Path) -> None:
    text = "id,member,phone,at,amount,status\n" + "\n".join(
        f"A{n},1,,2026-03-01 10:00,{n},paid" for n in range(9000)
    )
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=text)
        blocks = list(log.blocks(0))
    assert [(block.first_step, block.count) for block in blocks] == [(0, 4096), (4096, 4096), (8192, 809)]


def test_a_process_that_is_killed_while_it_writes_leaves_nothing_and_may_start_again(tmp_path: Path) -> None:
    """L1: nothing is there of the killed import, and its lock is free."""
    program = (
        "import os, signal, sys, pathlib\n"
        "from streams.intake import import_files\n"
        "from streams.log.log import Log\n"
        "from streams.personal import vault\n"
        "from tests.called import key_of\n"
        "from tests.streams.small_shop import shop\n"
        "vault.fresh_key = key_of\n"
        "def kill(state):\n"
        "    if state.phase == 'write': os.kill(os.getpid(), signal.SIGKILL)\n"
        "log = Log.open(pathlib.Path(sys.argv[1]), write=True)\n"
        "import_files(log, shop(), [('orders', pathlib.Path(sys.argv[2]))], kill)\n"
    )
    path = write_csv(tmp_path / "orders.csv", MONDAY)
    new_log(tmp_path / "killed").close()
    command = [sys.executable, "-c", program, str(tmp_path / "killed"), str(path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL
    with Log.open(tmp_path / "killed", write=True) as log, new_log(tmp_path / "whole") as whole:
        assert log.next_steps() == [0]
        import_files(log, SHOP, [("orders", path)])
        import_files(whole, SHOP, [("orders", path)])
        assert dump(log) == dump(whole)


@pytest.mark.parametrize("stop_at", ["read", "check", "place", "write"])
def test_an_import_that_is_stopped_leaves_nothing_and_can_be_run_again(tmp_path: Path, stop_at: str) -> None:
    """L1: one transaction; the end is as if nothing had happened."""

    def stop(state: Progress) -> None:
        if state.phase == stop_at:
            raise KeyboardInterrupt

    with new_log(tmp_path / "whole") as log:
        take(log, SHOP, tmp_path, orders=MONDAY)
        whole = dump(log)
    with new_log(tmp_path / "stopped") as log:
        empty = dump(log)
        with pytest.raises(KeyboardInterrupt):
            import_files(log, SHOP, [("orders", tmp_path / "orders.csv")], stop)
        assert dump(log) == empty
        import_files(log, SHOP, [("orders", tmp_path / "orders.csv")])
        assert dump(log) == whole


def test_a_failure_while_the_directory_is_written_takes_the_blocks_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: blocks and directory are committed together."""

    def fail(_: References) -> None:
        raise OSError("disk full")

    with new_log(tmp_path) as log:
        empty = dump(log)
        monkeypatch.setattr(References, "save", fail)
        with pytest.raises(OSError, match="disk full"):
            take(log, SHOP, tmp_path, orders=MONDAY)
        assert dump(log) == empty


def test_rejected_rows_are_written_beside_the_log_with_line_reason_and_the_row(tmp_path: Path) -> None:
    bad = MONDAY + "    A4,3,,2026-03-02 10:00,1.234,paid\n    A5,3\n"
    target = tmp_path / "orders.csv.rejected.csv"
    with new_log(tmp_path) as log:
        report = take(log, SHOP, tmp_path, orders=bad)
        assert report.rejected_files == [target]
        lines = target.read_text(encoding="utf-8-sig").splitlines()
        assert (report.rejected, report.new) == (2, 3)
        assert lines[0] == "where,problem,hint,id,member,phone,at,amount,status,line text"
        assert lines[1].startswith(f"{tmp_path}/orders.csv:5,amount: 1.234 has more than 2 decimals,")
        assert ",A4,3,,2026-03-02 10:00,1.234,paid," in lines[1]
        assert lines[2].startswith(f"{tmp_path}/orders.csv:6,2 fields where the heading has 6,")
        assert lines[2].endswith(',"A5,3"')
        take(log, SHOP, tmp_path, orders=MONDAY)
        assert not target.exists()  # a clean import removes the former list


def test_unknown_sources_and_columns_are_errors_before_anything_is_written(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", "id,member\n1,2")
    with new_log(tmp_path) as log:
        empty = dump(log)
        with pytest.raises(InputError, match="source 'order' does not exist: the shop's sources are"):
            import_files(log, SHOP, [("order", path)])
        with pytest.raises(InputError, match="'at', 'phone', 'amount', 'status' is missing"):
            import_files(log, SHOP, [("orders", path)])
        assert dump(log) == empty


def test_a_file_with_a_heading_and_no_rows_is_an_empty_import(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        report = take(log, SHOP, tmp_path, orders="id,member,phone,at,amount,status")
        assert (report.rows, report.records, log.clock()) == (0, 0, None)


def test_progress_is_told_phase_by_phase(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "orders.csv", MONDAY)
    told: list[Progress] = []
    with new_log(tmp_path) as log:
        import_files(log, SHOP, [("orders", path)], told.append)
    assert list(dict.fromkeys(state.phase for state in told)) == ["read", "check", "place", "write"]
    assert told[0].done_bytes == told[0].total_bytes == path.stat().st_size
    assert told[-1].rows == 6
