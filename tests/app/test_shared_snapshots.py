"""Shared snapshots: what a new owner begins with, what it passes over, when it needs the whole log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.replay import settings_body
from app.restore import FOLDER
from app.worker.partition import OwnedPartition
from app.worker.sharing import KEPT, SharedPlace, Uploads
from sinks.history.history import CONTROLS
from sinks.history.relay import HistoryRelay
from sinks.snapshots.shared import MANIFEST
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store
from streams.changes.controls import control_message
from streams.changes.wire import Incoming, incoming
from streams.control import SETTINGS, TICK, Control
from streams.errors import InputError
from streams.log.begins import BeginsLate
from streams.log.rows import read_control
from tests.called import SECRET
from tests.servers.waiting import wait_for
from tests.shared.small_shop import small_shop

MINUTE = 29_800_000
SHOP = small_shop("shared", partitions=4)
OTHER = SHOP.model_copy(update={"metrics": {**SHOP.metrics, "more": "count(orders) + 1"}})


def message(offset: int, *controls: Control, minute: int | None = None) -> Incoming:
    """Return a message of partition 3; a tick's unless told otherwise."""
    sent = control_message(controls or [Control(TICK, None, "{}")], 3)
    at = MINUTE + offset if minute is None else minute
    return incoming("t", 3, offset, at * 60_000, sent.value, sent.headers)


def settings(offset: int, shop: Any = SHOP) -> Incoming:
    return message(offset, Control(SETTINGS, None, settings_body(shop)))


LOG = [settings(0), *(message(one) for one in range(1, 12)), message(40), message(41)]  # a stop before 40
END = 42


class Shared:
    """A shop's place for snapshots, and owners of its partition 3, each with a folder of its own."""

    def __init__(self, folder: Path, server: EmbeddedServer) -> None:
        self.folder, self.client = folder, server.client
        self.place = SharedPlace(str(folder / "shared"), "shared", "log one", 5)
        self.said: list[str] = []
        self.opened: list[OwnedPartition] = []

    def owner(self, name: str, **more: Any) -> OwnedPartition:
        """Return a new owner that is prepared, as `OwnedPartition.prepare` is told."""
        made = OwnedPartition(
            3, SHOP, self.folder / name, SECRET, self.client, lambda: True, self.said.append,
            lambda *_: None, 5,
        )  # fmt: skip
        self.opened.append(made)
        made.needed = more.pop("needed", lambda: 0)
        told = {"first": 0, "end": END, "shared": self.place, **more}
        made.prepare(**told)
        return made

    def upload(self, one: OwnedPartition) -> None:
        """Let the snapshot that is being written end, and upload it."""
        wait_for(lambda: not one._child.running(), "written")
        uploads = Uploads(self.place, dict)
        uploads.close()
        uploads.look(3, one.uploading())

    def share(self, until: int = 9) -> None:
        """Let an owner follow the log up to an offset and share its state."""
        first = self.owner("first", shared=None)
        first.take([one for one in LOG if one.offset < until], at_end=True)
        self.upload(first)
        first.close()

    def path(self) -> Path:
        """Return the folder of the newest shared snapshot."""
        return max((self.folder / "shared" / "shared" / "003").iterdir())


@pytest.fixture
def shared(tmp_path: Path, server: EmbeddedServer) -> Iterator[Shared]:
    server.client.flushall()
    made = Shared(tmp_path, server)
    yield made
    for one in made.opened:
        one.close()


def steps_of(one: OwnedPartition) -> list[tuple[int, int, str]]:
    """Return step, minute and kind of the records that its copy has."""
    first, found = one.copy.log.first_step, []
    for block in one.copy.log.blocks(0, first):
        table = block.tables()["!control"]
        kinds, minutes = table["kind"].to_pylist(), table["minute"].to_pylist()
        found += [(block.first_step + at, minutes[at], kind) for at, kind in enumerate(kinds)]
    return found


@pytest.mark.parametrize("until", [9, 12])
def test_a_new_owner_begins_with_the_newest_snapshot_and_replays_what_came_after(
    shared: Shared, until: int
) -> None:
    """Its copy has the steps and minutes of one that has it all, also where time stood still, and if the
    snapshot is the last thing before that."""
    shared.share(until)
    mine = shared.owner("second")
    assert (mine.next_offset, mine.copy.log.first_step) == (until, until)
    mine.take([one for one in LOG if one.offset >= mine.next_offset], at_end=True)
    assert mine.figures.replayed == 15 - until  # a resume stands before the last two
    assert Store(shared.client, "shared", first=3).head(0).step == 15
    whole = shared.owner("whole", shared=None)
    whole.take(LOG, at_end=True)
    assert whole.figures.replayed == 15
    assert steps_of(mine) == steps_of(whole)[until:]
    assert [kind for _, _, kind in steps_of(mine)][-3:] == ["resume", "tick", "tick"]


def test_who_has_a_copy_that_is_hardly_older_goes_on_with_it(shared: Shared) -> None:
    shared.share()
    again = shared.owner("first")
    assert (again.next_offset, again.copy.log.first_step, shared.said) == (9, 0, [])


def test_who_is_far_behind_begins_with_the_snapshot(shared: Shared) -> None:
    behind = shared.owner("second", shared=None)
    behind.take(LOG[:3], at_end=True)
    behind.close()
    shared.share()
    assert shared.owner("second").next_offset == 9


def damage(shared: Shared, path: Path) -> None:
    (path / "0.npz").write_bytes(b"damaged")


def lose(shared: Shared, path: Path) -> None:
    (path / "0.json").unlink()


def garble(shared: Shared, path: Path) -> None:
    (path / MANIFEST).write_text("{")


def said(**other: Any) -> Callable[[Shared, Path], None]:
    """Return what makes a manifest say something else."""

    def change(_: Shared, path: Path) -> None:
        about = json.loads((path / MANIFEST).read_text())
        (path / MANIFEST).write_text(json.dumps({**about, **other}))

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (damage, "checksum is wrong"), (lose, "file is missing"), (garble, "manifest cannot be read"),
        (said(program="older"), "another program"), (said(log="log two"), "another log"),
        (said(offset=END + 1), "ahead of what is committed"), (said(format=2), "another release"),
        (said(effects=1), "still needed, from number 0"),
        (said(files={"../x": [0, ""]}), "no plain name"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_passed_over_and_told(
    shared: Shared, change: Callable[[Shared, Path], None], told: str
) -> None:
    """The older one is taken, or the log read from its beginning."""
    shared.share(until=7)
    older = shared.path()
    shared.share(until=12)
    newest = shared.path()
    assert older != newest
    change(shared, newest)
    assert shared.owner("second").copy.log.first_step == 7
    assert any(told in line for line in shared.said)
    change(shared, older)
    alone = shared.owner("third")
    assert (alone.next_offset, alone.copy.log.first_step) == (0, 0)
    alone.take(LOG, at_end=True)
    assert alone.figures.replayed == 15


def test_new_settings_need_the_log_from_its_beginning(shared: Shared) -> None:
    """The copy is of no use then; the next one has it all, and comes to the same as who always had."""
    shared.share()
    late = shared.owner("second")
    late.take(LOG[9:], at_end=True)
    with pytest.raises(BeginsLate, match="begins at step 9, and 0 is needed"):
        late.take([settings(42, OTHER)], at_end=True)
    late.close()
    again = shared.owner("second", whole=True, end=43)
    assert again.next_offset == 0
    again.take([*LOG, settings(42, OTHER)], at_end=True)
    assert Store(shared.client, "shared", first=3).head(0).step == 16
    assert again.owner is not None
    assert again.owner.shop.metrics == OTHER.metrics


def test_a_snapshot_that_is_gone_again_leaves_nothing_to_begin_with(shared: Shared) -> None:
    """A copy without its first records cannot replace it."""
    shared.share()
    late = shared.owner("second")
    shutil.rmtree(late.folder / FOLDER)
    with pytest.raises(BeginsLate):
        late.take(LOG[9:], at_end=True)


def test_a_log_that_lost_its_beginning_is_refused_where_that_is_needed(shared: Shared) -> None:
    """Kafka would go on behind the gap, and nobody would know."""
    with pytest.raises(InputError, match="the log begins at offset 5, and what lies before is needed"):
        shared.owner("second", first=5)
    shared.share()
    assert shared.owner("third", first=5).next_offset == 9
    with pytest.raises(InputError, match="the log begins at offset 10"):
        shared.owner("fourth", first=10)


class HistoryUntil:
    """A history that has the control records up to a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def drained(self, table: str) -> dict[int, int]:
        return {3: self.step} if table == CONTROLS else {}


def test_history_that_is_further_behind_needs_the_log_from_its_beginning(shared: Shared) -> None:
    shared.share()
    log = shared.owner("second").copy.log
    has_all: Any = HistoryUntil(8)
    assert HistoryRelay(has_all, log, numbers=[3]).drained == ([9], [0])
    lacks_one: Any = HistoryUntil(7)
    with pytest.raises(BeginsLate, match="history lacks records of !control before step 9"):
        HistoryRelay(lacks_one, log, numbers=[3])


def test_only_the_newest_few_are_kept_and_the_newest_before_what_is_needed(shared: Shared) -> None:
    """What a worker left unfinished goes too, once it is older than they are."""
    one = shared.owner("first", shared=None)
    unfinished = shared.folder / "shared" / "shared" / "003" / f"{1:020d}-00000000"
    unfinished.mkdir(parents=True)
    (unfinished / "0.npz").touch()
    for at in range(5 * (KEPT + 2)):
        one.take([settings(0) if at == 0 else message(at)], at_end=True)
        if (at + 1) % 5 == 0:
            shared.upload(one)
    names = sorted(path.name for path in unfinished.parent.iterdir())
    assert [int(name[:20]) for name in names] == [15, 20, 25]
    assert one.figures.shared_at > 0


def test_a_place_that_cannot_be_written_is_counted_and_tried_again(shared: Shared, tmp_path: Path) -> None:
    """Nor read: the log has it all."""
    (tmp_path / "shared").write_text("no folder")
    one = shared.owner("first", shared=None)
    one.take(LOG, at_end=True)
    wait_for(lambda: not one._child.running(), "written")
    uploads = Uploads(shared.place, lambda: {3: one.uploading()})
    wait_for(lambda: one.figures.not_shared > 0, "counted")
    uploads.close()
    other = shared.owner("second")
    assert "shared snapshots cannot be read" in shared.said[-1]
    other.take(LOG, at_end=True)
    assert read_control(other.copy.log).shape[0] == 15
