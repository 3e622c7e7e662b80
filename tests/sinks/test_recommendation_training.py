"""Training from a real history into a real store: which rows count, who belongs where, what is in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.history.embedded import ChdbHistory
from sinks.recommendations.customer import Customer
from sinks.recommendations.declaration import Recommendations
from sinks.recommendations.model import Facts
from sinks.recommendations.serving import Counter, NoSuchCustomer, NotTrained
from sinks.store.server import EmbeddedServer
from streams.control import ERASE, Control, consent
from streams.errors import InputError
from tests.sinks.history_shop import transition
from tests.sinks.recommendation_world import DECLARED, World, filled, row


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    running = EmbeddedServer(tmp_path_factory.mktemp("slots"))
    yield running
    running.stop()


@pytest.fixture
def world(tmp_path: Path, server: EmbeddedServer) -> Iterator[World]:
    server.client.flushall()
    made = filled(World(tmp_path, server.client, ChdbHistory(tmp_path / "history")))
    yield made
    made.history.close()
    made.log.close()


def test_only_the_newest_state_of_a_row_counts_for_whom_it_is_of_now(world: World) -> None:
    """M4's C is deleted, M1's B comes to have no pieces, M2's B moves to M5, M3's second A becomes D."""
    world.take(
        row(16, "M4", "C"), row(11, "M1", "B", pieces=0), row(13, "M5", "B"), row(15, "M3", "D"),
        operations=["delete", "update", "update", "update"],
    )  # fmt: skip
    found = world.touched()
    members = {member: world.customer(member).hex() for member in ("M1", "M2", "M3", "M4", "M5")}
    assert {member: sorted(found[one]) for member, one in members.items()} == {
        "M1": [("A", 1), ("only M1", 1)], "M2": [("A", 1), ("only M2", 1)],
        "M3": [("A", 1), ("D", 1), ("only M3", 1)], "M4": [("only M4", 1)],
        "M5": [("B", 1), ("only M5", 1)],
    }  # fmt: skip
    some = [members["M2"], members["M5"]]
    assert {one["customer"] for one in world.reading.touches(some).to_pylist()} == set(some)


def test_rows_from_before_an_erasure_are_nobodys_and_those_behind_it_count(world: World) -> None:
    whom = world.customer("M1")
    world.control(consent(whom, "web", "profile", True), Control(ERASE, whom, "{}"))
    assert whom.hex() not in world.touched()
    assert dict(world.reading.customers(world.reading.touches(), [whom.hex()])).get(whom.hex()) is None
    world.take(row(90, "M1", "A"))
    assert world.touched()[whom.hex()] == [("A", 1)]


def test_the_newest_record_of_a_consent_holds(world: World) -> None:
    one, other = world.customer("M1"), world.customer("M2")
    world.control(
        consent(one, "web", "profile", True, 7), consent(one, "sms", "marketing", True),
        consent(other, "web", "profile", True), consent(other, "web", "profile", False),
    )  # fmt: skip
    kept = dict(world.reading.customers(world.reading.touches()))
    assert [(each.name, each.until) for each in kept[one.hex()].consents] == [("web/profile", 7)]
    assert list(kept[other.hex()].consents) == []


def test_lists_count_those_who_belong_now(world: World) -> None:
    one, other, third = (world.customer(member).hex() for member in ("M1", "M2", "M3"))
    told = [
        transition(0, 0, customer=one, what="vip"), transition(0, 1, customer=other, what="vip"),
        transition(0, 2, customer=other, what="vip", change="leave"),
        transition(0, 3, customer=third, what="main", change="segment", before=None, after="冠军"),
        transition(0, 4, customer=one, what="main", change="segment", before=None, after="冠军"),
        transition(0, 5, customer=one, what="main", change="segment", before="冠军", after="沉睡"),
    ]  # fmt: skip
    world.outbox.effects[0].extend(told)
    world.relay.catch_up()
    found = world.reading.members(sorted([one, other, third]))
    names = sorted([one, other, third])
    assert [names[at] for at in found["popular in tag vip"].nonzero()[0]] == [one]
    assert [names[at] for at in found["popular in segment main/冠军"].nonzero()[0]] == [third]


def test_a_model_is_put_in_force_at_once_and_the_former_goes_later(world: World) -> None:
    whom = world.customer("M1")
    counter = Counter(DECLARED, world.shelves, world.store)
    world.profile(whom)
    with pytest.raises(NotTrained):
        counter.serve("home", whom)
    assert world.trainer.train() is not None
    first = counter.serve("home", whom)
    old = first.standing
    assert (first.personalised, len(first.chosen)) == (False, 8)
    world.take(row(91, "M3", "new"))
    world.shelves.write("model", b"half a model that nothing points to")
    assert counter.serve("home", whom).standing == old
    world.trainer.train()
    second = counter.serve("home", whom)
    assert "new" in second.shelf.model.items
    assert "new" not in first.shelf.model.items
    assert world.client.ttl(f"tintype:{{small/items}}:model:{old.model}") > 0
    assert world.client.ttl(f"tintype:{{small/items}}:model:{second.standing.model}") == -1
    with pytest.raises(NoSuchCustomer):
        counter.serve("home", bytes(16))


def test_the_same_history_makes_the_same_model_byte_for_byte(world: World, tmp_path: Path) -> None:
    first, second = world.trainer.train(), world.new_trainer(tmp_path).train()
    assert first is not None
    assert second is not None
    assert first.packed() == second.packed()


def test_it_trains_when_it_is_time_or_the_file_has_changed_and_else_reads_what_is_new(
    world: World, tmp_path: Path
) -> None:
    whom = world.customer("M1")
    world.profile(whom)

    def version() -> str:
        found = world.shelves.standing()
        assert found is not None
        return found.model

    assert world.trainer.step()
    first = version()
    world.clock += 3599
    world.control(consent(whom, "web", "profile", True))
    assert world.trainer.step()
    assert version() == first
    assert [one.name for one in world.shelves.ask(world.store, whom).customer.consents] == ["web/profile"]
    world.clock += 1
    assert world.trainer.step()
    assert version() != first
    second, other = version(), DECLARED.model_copy(update={"refresh_seconds": 31})
    assert world.new_trainer(tmp_path, other).step()
    assert version() != second


def test_customers_whose_profile_comes_later_are_kept_when_it_is_there(world: World) -> None:
    whom = world.customer("M1")
    world.trainer.step()
    assert world.shelves.ask(world.store, whom).customer.touches == ()
    world.profile(whom)
    world.trainer.step()
    assert len(world.shelves.ask(world.store, whom).customer.touches) == 3
    assert world.shelves.erase(whom)
    assert not world.shelves.erase(whom)


def test_a_catalogue_from_a_source_is_what_the_newest_rows_say(world: World) -> None:
    world.take(row(16, "M4", "C", left=0, price="12.00", at="2026-02-20 10:00"))
    model = world.trainer.train()
    standing = world.shelves.standing()
    assert model is not None
    assert standing is not None
    facts = Facts.unpacked(world.shelves.read("facts", standing.facts) or b"")
    at = model.number["C"]
    assert (facts.titles[at], facts.stock[at], facts.price[at]) == ({"zh": "C 茶"}, 0, "12.00")
    world.take(row(16, "M4", "C", left=3, price="12.00", at="2026-02-21 10:00"))
    world.trainer.refresh(standing)
    newer = world.shelves.standing()
    assert newer is not None
    assert (newer.model, newer.facts) != (standing.model, standing.facts)
    assert newer.model == standing.model
    assert Facts.unpacked(world.shelves.read("facts", newer.facts) or b"").stock[at] == 1


def test_a_catalogue_that_went_away_is_told_and_what_is_in_force_stays(world: World, tmp_path: Path) -> None:
    world.trainer.train()
    before = world.shelves.standing()
    catalogue = {"file": "gone.csv", "item": "sku"}
    declared = Recommendations.model_validate({**DECLARED.model_dump(), "catalogue": catalogue})
    with pytest.raises(InputError, match="there is no such file"):
        world.new_trainer(tmp_path, declared).step()
    assert world.shelves.standing() == before


def test_what_is_larger_than_one_piece_comes_back_whole(world: World) -> None:
    packed = bytes(range(256)) * 10_000
    version = world.shelves.write("model", packed)
    assert world.shelves.read("model", version) == packed
    assert world.shelves.read("model", "another") is None
    assert world.shelves.keep([(f"{9:032x}", Customer())]) == [f"{9:032x}"]
