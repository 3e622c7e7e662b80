"""Texts: what fills them, what holds them back, languages, and what no text may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import meta
from pydantic import TypeAdapter

from sinks.channels.message import HeldBack
from sinks.texts.escape import ESCAPES
from sinks.texts.filters import LAST_MINUTE
from sinks.texts.forms import FORMS
from sinks.texts.manner import manner_of
from sinks.texts.template import TextError, check, compile_text, parse
from sinks.texts.texts import Texts
from sinks.texts.words import Template, Words

AT = 29_540_000  # 2026-03-01 21:20 UTC
SHANGHAI = Texts("zh", "Asia/Shanghai", "CNY")
LONDON = Texts("en", "Europe/London", "GBP")
NEW_YORK = Texts("en", "America/New_York", "USD")


def text(source: object, values: dict[str, object], texts: Texts = NEW_YORK) -> str:
    return texts.write(source, values).text  # type: ignore[arg-type]  # tests give wrong ones too


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("Dear {{ name }}", {}),
        ("Dear {{ name }}", {"name": None}),
        ("Dear {{ name }}", {"name": ""}),
        ("Dear {{ name }}", {"name": " \n"}),
        ("Dear {{ name }}", {"name": "\u200b\u202e"}),
        ("{{ name | truncate(5) }}", {"name": None}),
        ("{{ name | money }}", {"name": None}),
        ("{{ name | number }}", {"name": None}),
        ("{{ name | percent(1) }}", {"name": None}),
        ("{{ name | date }}", {"name": None}),
        ("{{ name | time }}", {"name": None}),
        ("{{ name | datetime }}", {"name": None}),
        ("{{ name | plural('a', 'b') }}", {"name": None}),
        ("{{ other | default(name) }}", {}),
        ("{{ 'Dear ' ~ name }}", {"name": None}),
        ("{{ name ~ '' }}", {"name": None}),
        ("{% if name %}a{% else %}b{% endif %}", {"name": None}),
        ("{% if not name %}a{% endif %}", {"name": None}),
        ("{% if name == 'x' %}a{% endif %}", {"name": None}),
        ("{% if 'x' != name %}a{% endif %}", {"name": None}),
        ("{% if name > 5 %}a{% endif %}", {"name": None}),
        ("{% if 5 < name %}a{% endif %}", {"name": None}),
        ("{% if name in ['x'] %}a{% endif %}", {"name": None}),
        ("{% if 'x' not in [name] %}a{% endif %}", {"name": None}),
        ("{% if n > 1 or name %}a{% endif %}", {"n": 0}),
        ("{% if n > 1 %}a{% elif name %}b{% endif %}", {"n": 0}),
        ("{{ 'a' if name else 'b' }}", {"name": None}),
        ("{{ name if n else 'b' }}", {"n": 1}),
    ],
)
def test_a_value_that_is_missing_null_or_blank_holds_the_message_back(
    source: str, values: dict[str, object]
) -> None:
    """Nobody is greeted as None, in whatever way the value is used."""
    with pytest.raises(HeldBack, match=r"^'name' is not known of this customer$"):
        text(source, values)


@pytest.mark.parametrize("unknown", [{}, {"name": None}, {"name": " "}])
def test_default_gives_what_is_said_instead(unknown: dict[str, object]) -> None:
    assert text("Dear {{ name | default('customer') }}", unknown) == "Dear customer"
    asked = "{% if name | default('') %}Dear {{ name }}{% else %}Hello{% endif %}"
    assert text(asked, unknown) == "Hello"
    assert text(asked, {"name": "Li"}) == "Dear Li"


def test_a_value_that_is_not_said_may_be_unknown() -> None:
    assert text("{% if n > 5 %}{{ name }}{% endif %}Hello", {"n": 1}) == "Hello"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ fen | money }}", ("¥5,533.00", "£5,533.00", "$5,533.00")),
        ("{{ fen | money('JPY') }}", ("JP¥553,300", "JP¥553,300", "¥553,300")),
        ("{{ minus | money }}", ("-¥0.05", "-£0.05", "-$0.05")),
        ("{{ fen | number }}", ("553,300",) * 3),
        ("{{ fen | number(2) }}", ("5,533.00",) * 3),
        ("{{ fen | number(6) }}", ("0.553300",) * 3),
        ("{{ n | percent }}", ("3%",) * 3),
        ("{{ n | percent(1) }}", ("0.3%",) * 3),
        ("{{ at | date }}", ("2026年3月2日", "1 Mar 2026", "Mar 1, 2026")),
        ("{{ at | date('short') }}", ("2026/3/2", "01/03/2026", "3/1/26")),
        ("{{ at | date('long') }}", ("2026年3月2日", "1 March 2026", "March 1, 2026")),
        ("{{ at | time }}", ("05:20", "21:20", "4:20 PM")),
        ("{{ at | datetime }}", ("2026年3月2日 05:20", "1 Mar 2026, 21:20", "Mar 1, 2026, 4:20 PM")),
        ("{{ n }} {{ n | plural('order', 'orders') }}", ("3 orders",) * 3),
        ("{{ one }} {{ one | plural('order', 'orders') }}", ("1 orders", "1 order", "1 order")),
        ("{{ long | truncate(8) }}", ("running…",) * 3),
        ("{{ long | truncate(13) }}", ("running shoes",) * 3),
        ("{{ 'many' if n >= 3 else 'few' }} {{ n ~ '/' ~ one }}", ("many 3/1",) * 3),
    ],
)
def test_values_are_written_as_people_of_the_language_and_place_write_them(
    source: str, expected: tuple[str, str, str]
) -> None:
    values: dict[str, object] = {
        "fen": 553_300, "minus": -5, "n": 3, "one": 1, "at": AT, "long": "running shoes",
    }  # fmt: skip
    assert tuple(text(source, values, texts) for texts in (SHANGHAI, LONDON, NEW_YORK)) == expected


def test_no_filter_brings_a_blank_that_plain_sms_cannot_carry() -> None:
    for language in ("zh", "en"):
        for zone in ("Asia/Shanghai", "America/New_York", "Europe/London", "Europe/Zurich"):
            texts = Texts(language, zone, "CHF")
            told = text("{{ n | money }}{{ n | datetime('long') }}{{ n | number }}", {"n": AT}, texts)
            assert not set(told) & set("\u00a0\u202f\u2009")


def test_times_are_those_of_the_customers_zone_and_days_those_of_the_shop() -> None:
    """A birthday is a day in the shop's books: no zone may move it."""
    source = "{{ at | date('short') }} {{ at | time }} {{ at | datetime('short') }}"
    values: dict[str, object] = {"at": AT, "zone": "America/New_York"}
    assert text(source, values, SHANGHAI) == "2026/3/2 16:20 2026/3/1 16:20"
    for unknown in ("Mars/Base", "", "../etc/passwd", None, 5):
        assert text(source, values | {"zone": unknown}, SHANGHAI) == "2026/3/2 05:20 2026/3/2 05:20"


def declared(template: object) -> Template:
    """Return a template as channels.yaml declares it."""
    found: Template = TypeAdapter(Template).validate_python(template)
    return found


BOTH = declared(
    {"en": "Hello {{ name }}", "zh": {"text": "{{ name }}，您好", "title": "问候", "link": "https://s.cn"}}
)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("en", "en"), ("EN-us", "en"), ("en_GB", "en"), ("English", "en"), ("zh-Hans-CN", "zh"),
        ("中文", "zh"), (None, "zh"), ("fr", "zh"), ("", "zh"), (5, "zh"), ("x" * 9999, "zh"),
    ],
)  # fmt: skip
def test_a_customers_language_is_chosen_where_the_template_has_it_else_the_shops(
    told: object, expected: str
) -> None:
    values = {"name": "李雷", "language": told}
    written = SHANGHAI.write(BOTH, values)  # type: ignore[arg-type]  # a customer's data may be anything
    assert written.language == expected
    assert written.text == {"en": "Hello 李雷", "zh": "李雷，您好"}[expected]
    assert (written.title, written.link) == {"en": ("", ""), "zh": ("问候", "https://s.cn")}[expected]


def test_a_title_is_one_line_and_a_link_keeps_its_values_inside() -> None:
    link = "https://shop.example/find?q={{ what }}&n=1"
    template = Words(text="x", title="{{ what }}\nnow", link=link)
    written = NEW_YORK.write(template, {"what": "a b&c=d\r\nBcc: e\u202e/../#"})
    assert written.title == "a b&c=d Bcc: e/../# now"
    assert written.link == "https://shop.example/find?q=a%20b%26c%3Dd%20Bcc%3A%20e%2F..%2F%23&n=1"


BOMBS = [
    "{% for a in n %}{{ a }}{% endfor %}",
    "{% for a in range(10**9) %}x{% endfor %}",
    "{{ range(999999999) | list }}",
    "{{ 'x' * 999999999 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ n | number(999999999) }}",
    "{{ n | truncate(99999999999) }}",
    "{{ n | center(99999999) }}",
    "{{ '%999999999d' % n }}",
    "{{ '%99999999d' | format(n) }}",
    "{{ n.__class__.__mro__ }}",
    "{{ n['__class__'] }}",
    "{{ n | attr('__class__') }}",
    "{{ ''.join(n) }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum() }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'x' %}",
    "{% import 'os' as os %}",
    "{% extends 'x' %}",
    "{% block a %}{% endblock %}",
    "{% set n = n ~ n %}",
    "{% with a = 1 %}{% endwith %}",
    "{% filter money %}x{% endfilter %}",
    "{% call n() %}{% endcall %}",
    "{% autoescape true %}{% endautoescape %}",
    "{{ [n, n] }}", "{{ {'a': n} }}", "{{ (n, n) }}", "{{ n[0:9] }}", "{{ none }}", "{{ true }}", "{{ 1.5 }}",
    "{{ n > 1 }}", "{{ n or 1 }}", "{{ not n }}", "{{ n is defined }}", "{{ 'a' if n }}",
    "{{ " + "(" * 5000 + "n" + ")" * 5000 + " }}",
    "{{ " + "-" * 9000 + "n }}",
    "{{ " + "n | default(" * 400 + "n" + ")" * 400 + " }}",
    "{{ " + " ~ ".join(["n"] * 3000) + " }}",
    "{% if " + " and ".join(["n"] * 2000) + " %}{% endif %}",
    "{% if " + "not " * 4000 + "n %}{% endif %}",
    "{% if n %}" * 300 + "{% endif %}" * 300,
    "{{ n }}" * 2500,
    "{{ " + "9" * 5000 + " }}",
    "{{ " + "9" * 50 + " }}",
    "x" * 30_000,
]  # fmt: skip


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_what_could_run_without_end_or_reach_outside_is_refused_before_it_runs(source: str) -> None:
    faults = check(source, {}, "CNY").faults
    assert faults
    assert all(fault.problem and fault.hint and fault.line >= 1 for fault in faults)
    with pytest.raises(TextError):
        compile_text(source)


def test_the_longest_text_of_the_longest_values_stays_bounded() -> None:
    source = "{{ a }}" * 200
    assert check(source, {}, "").faults == ()
    with pytest.raises(HeldBack, match="the text has 400,000 characters, the limit is 40,000"):
        text(source, {"a": "x" * 2000})
    with pytest.raises(HeldBack, match="a value has 2,001 characters, the limit is 2,000"):
        text(source, {"a": "x" * 2001})
    with pytest.raises(HeldBack, match="'a' has 1,000,000 characters, the limit is 20,000"):
        text("{{ a | truncate(5) }}", {"a": "x" * 1_000_000})
    assert text("{{ a | truncate(5) }}", {"a": "x" * 20_000}) == "xxxx…"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ word | money }}", "money takes a whole number, and was given a text"),
        ("{{ word | date }}", "date takes a whole number, and was given a text"),
        ("{{ big | date }}", f"date takes a date or time, and {2**62} is none"),
        ("{{ least | datetime }}", f"datetime takes a date or time, and {-(2**62)} is none"),
        ("{% if word > n %}x{% endif %}", "a value does not fit the text"),
    ],
)
def test_a_value_of_another_type_holds_the_message_back(source: str, reason: str) -> None:
    values: dict[str, object] = {"word": "鞋", "n": 1, "big": 2**62, "least": -(2**62)}
    with pytest.raises(HeldBack, match=reason):
        text(source, values)


def test_money_without_any_currency_is_held_back() -> None:
    with pytest.raises(HeldBack, match="money has no currency"):
        text("{{ n | money }}", {"n": 5}, Texts("en", "UTC", ""))


@pytest.mark.parametrize("minute", [-LAST_MINUTE // 4 + 1, 0, LAST_MINUTE - 1])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_every_moment_that_is_taken_can_be_written(minute: int, zone: str) -> None:
    values: dict[str, object] = {"at": minute, "zone": zone}
    assert text("{{ at | date }} {{ at | time }} {{ at | datetime }}", values, Texts("zh", zone, ""))


def test_truncating_never_parts_what_is_one_sign_to_the_reader() -> None:
    family = "👨\u200d👩\u200d👧"
    assert text("{{ a | truncate(4) }}", {"a": f"ab{family}!"}) == "ab…"
    assert text("{{ a | truncate(3) }}", {"a": "ne\u0301e\u0301"}) == "n…"


@given(
    st.lists(
        st.sampled_from(
            ["{{ a }}", "{{ b|default('x') }}", "{% if c %}", "{% endif %}", "x\n", "{{ 'd' }}"]
        )
    )
)
@settings(max_examples=200, deadline=None)
def test_the_names_are_those_that_jinja_finds(pieces: list[str]) -> None:
    source = "".join(pieces)
    found = check(source, {}, "")
    if not found.faults:
        assert set(found.names) == meta.find_undeclared_variables(parse(source))


@given(st.text(st.characters(codec=None), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_value_is_written_or_held_back_and_never_opens_a_line(value: str) -> None:
    for name in ESCAPES:
        try:
            told = compile_text("a {{ v }} z", name).render({"v": value}, manner_of("en", "", "UTC"))
        except HeldBack:
            continue
        told.encode("utf-8")
        assert told.startswith("a ")
        assert told.endswith(" z")
        assert not set(told) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u0000\x1b\r")
        assert name == "values" or len(told.splitlines()) == 1


def test_every_filter_and_its_real_output_is_in_the_document() -> None:
    """docs/channels/texts.md: lines of a table, | `template` | zh | en |."""
    document = (Path(__file__).parents[2] / "docs" / "channels" / "texts.md").read_text("utf-8")
    values: dict[str, object] = {
        "spent": 553_300, "orders": 3, "share": 125, "joined": AT, "category": "running shoes", "level": None,
    }  # fmt: skip
    rows = [line for line in document.splitlines() if line.startswith("| `{{")]
    assert len(rows) >= 12
    assert [name for name in FORMS if not any(f" {name}" in row for row in rows)] == []
    for row in rows:
        template, zh, en = (cell.strip(" `") for cell in row.replace("\\|", "\0").strip("| ").split(" | "))
        source = template.replace("\0", "|")
        assert (text(source, values, SHANGHAI), text(source, values, LONDON)) == (zh, en)
