"""After all bad input the shop stands as if only the good had come, and nothing bad is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.load import load_shop
from app.runtime import keep_settings
from app.shop import Shop
from streams.arrive import Arrivals
from streams.dead.letters import DeadLetter, letters
from streams.errors import InputError
from streams.intake import import_files
from streams.live import append_ticks
from streams.log.log import Log
from streams.message import Message
from tests.app.stored import FromScratch
from tests.bad_input.files import BAD_FILES, HEAD, ROW, BadFile
from tests.bad_input.folders import BAD_FOLDERS
from tests.bad_input.good import GOOD
from tests.bad_input.messages import MESSAGES
from tests.bad_input.shop import write_shop
from tests.bad_input.test_bad_commands import CASES

T = 29_540_000  # 2026-03-01 21:20 UTC
Batch = list[Message] | BadFile
# A tombstone of a feed is a row's end in a stream of flattened rows only: behind an envelope it is none.
BAD = [
    Message(bad.source, f"feed/0/{bad.what}", bad.value, bad.key)
    for bad in MESSAGES
    if bad.value is not None or bad.source != "sales"
]
GOOD_PLACES = {message.place for message in GOOD}


def mixed(seed: int) -> list[Batch]:
    """Return all good and bad messages and files in a seeded order, messages in batches of one to twenty."""
    chance = random.Random(seed)
    waiting: list[Message | BadFile] = [*BAD, *GOOD, *BAD_FILES]
    chance.shuffle(waiting)
    batches: list[Batch] = [[]]
    for one in waiting:
        if isinstance(one, BadFile):
            batches += [one, []]
            continue
        last = batches[-1]
        assert isinstance(last, list)  # a file is always followed by a list
        last.append(one)
        if len(last) >= chance.randint(1, 20):
            batches.append([])
    return batches


def feed(log: Log, shop: Shop, batches: Sequence[Batch], folder: Path) -> None:
    """Take batch by batch, a minute each; files are imported, or refused."""
    (folder / "orders.csv").write_text(HEAD + ROW, encoding="utf-8")
    import_files(log, shop, [("orders", folder / "orders.csv")], now=T)
    arrivals = Arrivals(log)
    for at, batch in enumerate(batches):
        if isinstance(batch, BadFile):
            own = folder / str(at)
            own.mkdir()
            try:
                import_files(log, shop, [("orders", batch.write(own))], now=T)
            except InputError:
                assert batch.line is None
        else:
            arrivals.take(shop, [(batch, None)], T + at)
            append_ticks(log, T + at)


def records(log: Log) -> list[Any]:
    """Return what identity knows, in the order of the tables' keys."""
    rows = log.connection.execute(
        "SELECT name, key_high, key_low, alive, content FROM row JOIN source ON number = source "
        "ORDER BY name, key_high, key_low"
    ).fetchall()
    return [rows, log.connection.execute("SELECT * FROM reference ORDER BY reference").fetchall()]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_state_is_that_of_the_good_rows_and_every_bad_one_is_kept_once(tmp_path: Path, seed: int) -> None:
    folder = write_shop(tmp_path / "shop")
    shop = load_shop(folder)
    batches = mixed(seed)
    good: list[Batch] = [
        [] if isinstance(batch, BadFile) else [one for one in batch if one.place in GOOD_PLACES]
        for batch in batches
    ]
    held: list[Any] = []
    for name, chosen in (("all", batches), ("good", good)):
        (tmp_path / name).mkdir()
        with Log.create(tmp_path / name / "data", "Bad", 2) as log:
            log.connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here
            keep_settings(log, shop)
            feed(log, shop, chosen, tmp_path / name)
            if name == "all":
                again = [one for one in BAD if one.value is None or len(one.value) < 100_000]
                random.Random(seed).shuffle(again)
                Arrivals(log).take(shop, [(again, None)], T + len(batches))
                _each_bad_one_is_there(letters(log, limit=10_000))
            else:
                Arrivals(log).take(shop, [([], None)], T + len(batches))
                assert letters(log) == []
            scratch = FromScratch(log, shop)
            assert scratch.differences() == []
            profiles = {customer: document for (_, customer), document in scratch.profiles().items()}
            held.append((profiles, records(log)))
    assert len(held[1][0]) == 7  # every member has a profile, so there is something to be wrong
    assert held[0] == held[1]


def _each_bad_one_is_there(found: list[DeadLetter]) -> None:
    """Every bad message once, with its place and its bytes, and every rejected row once."""
    by_place = Counter((letter.source, letter.place, letter.value, letter.key) for letter in found)
    assert set(by_place.values()) == {1}
    assert {(one.source, one.place, one.value, one.key) for one in BAD} <= by_place.keys()
    rejected = [letter for letter in found if not letter.place.startswith("feed/")]
    expected = Counter(f"{bad.name}:{bad.line}" for bad in BAD_FILES if bad.line is not None)
    assert Counter(letter.place for letter in rejected) == expected
    assert len(found) == len(BAD) + expected.total()


def test_there_are_cases_enough() -> None:
    """At least two hundred, and each is told apart."""
    whats = [
        *(bad.what for bad in MESSAGES), *(f"{bad.name} {bad.what}" for bad in BAD_FILES),
        *(f"folder: {what}" for what, _, _ in BAD_FOLDERS), *(f"call: {what}" for what, _, _ in CASES),
    ]  # fmt: skip
    assert len(set(whats)) == len(whats)
    assert len(whats) >= 500
