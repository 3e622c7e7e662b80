"""Over HTTP: what a trigger has brought, while the shop is at work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import httpx
import pytest

from app import exits
from app.cli import main
from sinks.history.errors import Away
from tests.app.little_shop import GOOD
from tests.console.at_work import AtWork, at_work, order, wait_for

HELLO = """\
when: {event: {source: orders, where: amount >= 5000}}
guards: {max_age: 365d, hold_out: 50}
goal: {source: orders, where: 'status == "paid"', within: 1h, value: amount}
action: {channel: sms, template: hi, values: {fen: spend}}
"""
MEMBERS = 40
PATH = "/v1/triggers/hello/results"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    files: dict[str, str | None] = {
        "tintype.toml": GOOD["tintype.toml"], "triggers/hello.yaml": HELLO,
        "triggers/aimless.yaml": HELLO.replace("goal:", "# goal:"),
    }  # fmt: skip
    folder: Path = tmp_path_factory.mktemp("results")
    with at_work(folder / "little", files) as found:
        yield found


def told(shop: AtWork, **asked: Any) -> dict[str, Any]:
    return shop.get(PATH, **asked)


def test_what_was_brought_is_counted_while_the_shop_is_at_work(shop: AtWork) -> None:
    """Each of forty orders for 60.00 now; ten of them again ten minutes on, for 12.50."""
    first, later = "2026-03-01 17:30", "2026-03-01 17:40"
    shop.send("orders", *(order(f"A{n}", f"M{n}", "60.00", created_at=first) for n in range(MEMBERS)))
    shop.clock[0] += 600
    shop.send("orders", *(order(f"B{n}", f"M{n}", created_at=later) for n in range(10)))
    wait_for(lambda: told(shop)["open"] == MEMBERS)
    found = told(shop)
    acts = found["acts"]
    assert 0 < acts < MEMBERS
    assert (found["reached"]["customers"], found["held_out"]["customers"], found["rate"]) == (0, 0, None)
    shop.clock[0] += 3600
    shop.send("orders", order("Z", "nobody", created_at="2026-03-01 18:40"))
    wait_for(lambda: told(shop)["open"] == 0)
    found = told(shop)
    assert (found["reached"]["customers"], found["held_out"]["customers"]) == (acts, MEMBERS - acts)
    assert found["reached"]["converted"] + found["held_out"]["converted"] == 10
    assert found["converted"] == found["reached"]["converted"]
    assert found["reached"]["value"] == 1250 * found["reached"]["converted"]
    assert found["rate"]["low"] < found["rate"]["difference"] < found["rate"]["high"]
    assert found["goal"]["within"] == "1h"
    assert told(shop, since="2026-03-01T17:31:00+08:00")["acts"] == 0
    assert told(shop, until="2026-03-01T09:31:00")["acts"] == acts


def test_the_command_says_beside_the_shop_how_to_ask_it(
    shop: AtWork, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what it says works."""
    arguments = ["results", str(shop.opened.data.parent), "hello"]
    for more in ([], ["--from", "2026-03-01 17:31", "--to", "2026-03-05 08:00"]):
        assert main([*arguments, *more]) == exits.BAD_INPUT
        err = " ".join(capsys.readouterr().err.split())
        assert "history is open in another process (pid " in err
        found = re.search(r"curl -s 'http://127.0.0.1:8080(/\S+)' -H \"Authorization: Bearer \$KEY\"", err)
        assert found
        _, _, query = found[1].partition("?")
        asked = dict(parse_qsl(query))
        assert asked == ({"since": "2026-03-01T09:31Z", "until": "2026-03-05T00:00Z"} if more else {})
        assert shop.client.get(found[1]).json() == told(shop, **asked)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/triggers/ho/results", 404, "unknown-trigger"),
        ("/v1/triggers/aimless/results", 422, "invalid-request"),
        (f"{PATH}?since=soon", 422, "invalid-request"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_told(shop: AtWork, path: str, status: int, code: str) -> None:
    answer = shop.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_history_that_is_away_or_off_is_told(shop: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> NoReturn:
        raise Away("clickhouse:9000", "does not answer", "start it")

    for history, status, code in ((away, 503, "history-away"), (None, 501, "not-here")):
        monkeypatch.setattr(shop.answering, "history", history)
        answer = shop.client.get(PATH)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_key_to_write_shows_nothing(shop: AtWork) -> None:
    answer = httpx.get(shop.address + PATH, headers={"Authorization": f"Bearer {shop.keys['write']}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
