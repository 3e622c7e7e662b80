"""What revokes a decision, and what does not: control records in their order, and why it must not be sent."""

from __future__ import annotations

from streams.control import ERASE, Control, consent, switch
from tests.app.test_embedded import START
from tests.called import id_of
from triggers.trigger import Action, Guards, Trigger, When

MINUTE = START // 60
WHO = bytes.fromhex(id_of("member:M1"))
TRIGGER = Trigger(
    name="win_back", when=When(enter="vip"), action=Action(channel="sms"),
    guards=Guards(consent="sms/marketing"),
)  # fmt: skip


def given(granted: bool, until: int | None = None, channel: str = "sms") -> Control:
    return consent(WHO, channel, "marketing", granted, until)


CASES: list[tuple[list[Control], str | None]] = [
    ([], None),
    ([given(True)], None),
    ([given(True), given(False)], "consent to sms/marketing is withdrawn"),
    ([given(False), given(True)], None),
    ([given(True), given(False, channel="email")], None),
    ([given(True, MINUTE)], "consent to sms/marketing is over"),
    ([given(True, MINUTE + 1)], None),
    ([switch("", True)], "everything is switched off"),
    ([switch("channel/sms", True)], "channel/sms is switched off"),
    ([switch("trigger/win_back", True)], "trigger/win_back is switched off"),
    ([switch("trigger/other", True)], None),
    ([switch("", True), switch("", False)], None),
    ([given(False), Control(ERASE, WHO, "{}"), given(True)], None),
    ([given(False), Control(ERASE, WHO, "{}")], None),
    ([given(True), Control(ERASE, WHO, "{}"), given(False)], "consent to sms/marketing is withdrawn"),
]
