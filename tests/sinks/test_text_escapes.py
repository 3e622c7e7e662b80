"""How hostile values are written into the texts of each kind of channel."""

from __future__ import annotations

import json

import pytest

from sinks.channels.kinds import PROVIDERS
from sinks.channels.message import HeldBack
from sinks.channels.web.webhook import WebhookSettings
from sinks.channels.web.wecom import WeComSettings
from sinks.texts.escape import ESCAPES, EscapeName
from sinks.texts.manner import manner_of
from sinks.texts.template import compile_text
from sinks.texts.texts import Texts

ENGLISH = manner_of("en", "USD", "UTC")


@pytest.mark.parametrize(
    ("value", "plain", "sms", "robot", "values"),
    [
        ("Li Lei", "Li Lei", "Li Lei", "Li Lei", "Li Lei"),
        ("李雷😀", "李雷😀", "李雷😀", "李雷😀", "李雷😀"),
        ("a\r\nBcc: all", "a Bcc: all", "a Bcc: all", "a Bcc: all", "a\nBcc: all"),
        ("a\u2028b\x85c\vd", "a b c d", "a b c d", "a b c d", "a\nb\nc\nd"),
        ("\x00\x07\x1b[31mred\x7f", "[31mred", "[31mred", "[31mred", "[31mred"),
        ("\u202egnp.exe\u202c", "gnp.exe", "gnp.exe", "gnp.exe", "gnp.exe"),
        ("\u2066a\u2069\u200f\u061c", "a", "a", "a", "a"),
        ("a\u200bb\ufeff\u00ad\U000e0041", "ab", "ab", "ab", "ab"),
        ("a\ud800b", "ab", "ab", "ab", "ab"),
        ("👨\u200d👩", "👨\u200d👩", "👨\u200d👩", "👨\u200d👩", "👨\u200d👩"),
        ("wait…\u00a0ok", "wait…\u00a0ok", "wait... ok", "wait…\u00a0ok", "wait…\u00a0ok"),
        ("**b** _i_ `c`", "**b** _i_ `c`", "**b** _i_ `c`", "**b** _i_ `c`", "**b** _i_ `c`"),
        ("[x](http://e)", "[x](http://e)", "[x](http://e)", "[x](http://e)", "[x](http://e)"),
        ("<@all> & <b>", "<@all> & <b>", "<@all> & <b>", "＜@all> & ＜b>", "<@all> & <b>"),
        ("# big", "# big", "# big", "# big", "# big"),
        ("1. one", "1. one", "1. one", "1. one", "1. one"),
        ("- item", "- item", "- item", "- item", "- item"),
        ("===", "===", "===", "===", "==="),
        ("12.50 + #5", "12.50 + #5", "12.50 + #5", "12.50 + #5", "12.50 + #5"),
        ("a\\*b", "a\\*b", "a\\*b", "a\\*b", "a\\*b"),
        ("{{ x }}{% if %}", "{{ x }}{% if %}", "{{ x }}{% if %}", "{{ x }}{% if %}", "{{ x }}{% if %}"),
    ],
)
def test_a_value_stays_a_value(value: str, plain: str, sms: str, robot: str, values: str) -> None:
    written = {
        name: compile_text("{{ v }}", name).render({"v": value}, ENGLISH)
        for name in ESCAPES if name != "link"
    }  # fmt: skip
    assert written == {"plain": plain, "sms": sms, "robot": robot, "values": values}


def test_what_the_template_itself_says_is_left_as_it_is() -> None:
    source = "<{{ v }}>\n# {{ v | default('<') }} {{ 'a' ~ v }}"
    assert compile_text(source, "robot").render({"v": "<"}, ENGLISH) == "<＜>\n# ＜ a＜"


@pytest.mark.parametrize("name", ESCAPES)
def test_a_value_that_is_too_long_is_not_sent_in_part(name: EscapeName) -> None:
    longest = ESCAPES[name].longest
    text = compile_text("{{ v }}", name)
    assert len(text.render({"v": "x" * longest}, ENGLISH)) == longest
    with pytest.raises(HeldBack, match=f"a value has {longest + 1:,} characters, the limit is {longest:,}"):
        text.render({"v": "x" * (longest + 1)}, ENGLISH)


def test_a_value_for_json_is_whole_and_json_holds_it() -> None:
    value = '"}],\n"admin": true, "\u2028\\'
    told = compile_text("{{ v }}", "values").render({"v": value}, ENGLISH)
    assert json.loads(json.dumps({"v": told})) == {"v": value.replace("\u2028", "\n")}


KINDS: dict[EscapeName, set[str]] = {  # docs/channels/texts.md, "How values are written"
    "plain": {"console", "file", "email", "inbox"}, "sms": {"smpp", "aliyun", "tencent", "twilio"},
    "robot": {"wecom", "dingtalk"}, "values": {"webhook"},
}  # fmt: skip


def test_every_kind_of_provider_writes_values_as_the_page_says() -> None:
    found: dict[EscapeName, set[str]] = {name: set() for name in KINDS}
    for settings in PROVIDERS:
        found[settings.escape].add(settings.model_fields["kind"].default)
    assert found == KINDS


def test_a_webhook_has_the_lines_of_a_value_and_a_robot_calls_nobody() -> None:
    texts = Texts("zh", "Asia/Shanghai", "CNY")
    long = "x\n" * 4000
    assert texts.write("{{ a }}", {"a": long}, WebhookSettings.escape).text == long
    robot = texts.write("{{ a }}", {"a": "*b* <@all>"}, WeComSettings.escape).text
    assert robot == "*b* ＜@all>"
