"""One worker at a time sends for a cluster, whatever is killed, paused or deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.worker.sender import FOLDER
from deploy.servers.places import Place
from tests.servers.delivery_room import room

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")


def test_killed_paused_and_deleted_senders_send_marketing_once_and_lose_no_notice(
    kafka: Place, store: Place, tmp_path: Path
) -> None:
    with room(kafka, store, tmp_path) as busy:
        cluster = busy.shop.cluster
        cluster.start("b")
        first = [f"K{number}" for number in range(4)]
        busy.hold_up(first)
        cluster.workers["a"].kill()
        busy.check_taken_over(first)

        cluster.start("a")
        second = [f"L{number}" for number in range(4)]
        busy.hold_up(second)
        cluster.workers["b"].pause()
        busy.check_taken_over(second)
        cluster.workers["b"].go_on()
        busy.shop.wait(lambda: "another" in cluster.workers["b"].log.read_text(), "b knows")
        third = [f"M{number}" for number in range(6)]
        busy.orders(*third)
        for trigger in ("hello", "notice"):
            busy.until(trigger, third, sent=6)
        before = busy.states("hello", *first, *second)

        for name in ("a", "b"):
            cluster.workers[name].kill()
            for path in (tmp_path / name / FOLDER).glob("*.sqlite*"):
                path.unlink()
        cluster.start("b")
        busy.orders("N1")
        busy.until("hello", ["N1"], sent=1)
        assert busy.states("hello", *first, *second) == before
        assert max(busy.door.came("hello").values()) == 1
        assert busy.wrongly_told() == []
