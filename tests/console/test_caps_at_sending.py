"""A cap holds at the moment of sending, and so does a channel's limit, in a shop at work (D5)."""

from __future__ import annotations

from pathlib import Path

from tests.console.at_work import FILES as SHOP
from tests.console.at_work import at_work, order, states, wait_for

CAPS = '\n[guards.caps]\n"sms a day" = {most = 1, within = "1d", channels = ["sms"]}\n'
CHANNELS = "sms:\n  expires: 3d\n  templates: {hi: 'you spent {{ fen }}'}\n"


def test_what_a_pause_has_put_together_goes_a_day_apart(tmp_path: Path) -> None:
    """A day lies between the decisions; both waited until the end of the pause."""
    toml = str(SHOP["tintype.toml"]) + CAPS
    files: dict[str, str | None] = {"tintype.toml": toml, "channels.yaml": CHANNELS}
    with at_work(tmp_path / "little", files) as shop:

        def turn(*, paused: bool) -> None:
            body = {"what": "channel/sms", "off": False, "paused": paused, "reason": "the text is looked at"}
            assert shop.client.post("/v1/switches", json=body).status_code == 200

        turn(paused=True)
        shop.send("orders", order("A1", "M1"))
        shop.clock[0] += 25 * 3600
        shop.settle()
        shop.send("orders", order("A2", "M1", created_at="2026-03-02 18:00"), order("A3", "M2"))
        wait_for(lambda: states(shop) == ["queued"] * 3)
        turn(paused=False)
        wait_for(lambda: sorted(states(shop)) == ["queued", "sent", "sent"])
        [late] = shop.get("/v1/deliveries", state="queued")["deliveries"]
        assert late["reason"] == "cap 'sms a day' (1 within 1d) is full until 2026-03-03 10:30 UTC"
        assert late["due"] == "2026-03-03T10:30:00Z"
        shop.clock[0] += 24 * 3600
        shop.settle()
        wait_for(lambda: states(shop) == ["sent"] * 3, 60.0)


def test_the_limit_of_a_channel_is_what_it_was_behind_a_restart(tmp_path: Path) -> None:
    files: dict[str, str | None] = {"channels.yaml": CHANNELS + "  limits: [{most: 2, within: 1h}]\n"}
    with at_work(tmp_path / "little", files) as shop:
        shop.send("orders", *(order(f"A{n}", f"M{n}") for n in range(3)))
        wait_for(lambda: states(shop) == ["sent", "sent", "queued"])
    with at_work(tmp_path / "little", files) as shop:
        shop.send("orders", order("A3", "M3"))
        wait_for(lambda: states(shop) == ["sent", "sent", "queued", "queued"])
        lanes = shop.opened.relays.sender._at_work
        assert lanes is not None
        assert lanes[0].lanes[0].limits.room(shop.clock[0], 9) == 0
        shop.clock[0] += 3600
        wait_for(lambda: states(shop) == ["sent"] * 4)
