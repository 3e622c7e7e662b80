"""What is wrong with a shop's folder is told at its line, with what to do, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.load import load_shop, read_folder
from app.problems import ConfigError
from streams.contract.columns import file_columns
from tests.app.little_shop import GOOD, write_shop


def errors_of(folder: Path, changes: dict[str, str | None]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_shop(write_shop(folder, changes))
    return [str(error) for error in caught.value.errors]


def test_a_good_folder_is_read_whole(tmp_path: Path) -> None:
    folder = read_folder(write_shop(tmp_path, {}))
    assert list(folder.shop.sources) == ["orders", "refunds"]
    assert folder.shop.tags["普通"].name == "普通"
    assert folder.shop.settings.groups == {"value": ["vip", "普通"]}
    assert list(folder.timelines) == [("tags", "vip")]


def replaced(name: str, old: str, new: str) -> dict[str, str | None]:
    assert old in GOOD[name], (name, old)
    return {name: GOOD[name].replace(old, new)}


CASES: list[tuple[str, dict[str, str | None], str]] = [
    (
        "a misspelt key is told with the one that was meant",
        replaced("tags/vip.yaml", "rule:", "rul:"),
        "tags/vip.yaml:2: unknown key 'rul': did you mean 'rule'?",
    ),
    (
        "a key deep inside is told at its own line",
        replaced("sources/orders.yaml", "scale: 2, currency: CNY}", "scale: 2,\n    curency: CNY}"),
        "sources/orders.yaml:7: unknown key 'curency': did you mean 'currency'?",
    ),
    (
        "a missing key is told",
        replaced("sources/orders.yaml", "event_time: {column: created_at}\n", ""),
        "sources/orders.yaml:1: key 'event_time' is missing: add 'event_time:'",
    ),
    (
        "a key stands only once",
        replaced("tags/vip.yaml", "group: value\n", "group: value\ngroup: value\n"),
        "tags/vip.yaml:2: key 'group' stands twice: keep one; the first is in line 1",
    ),
    (
        "aliases are refused",
        replaced("tags/vip.yaml", "group: value", "group: &g value"),
        "tags/vip.yaml:1: anchors and aliases (& and *) are not used here: write the value out",
    ),
    (
        "YAML tags are refused",
        replaced("tags/vip.yaml", "group: value", "group: !!python/name:os.system value"),
        "tags/vip.yaml:1: the tag tag:yaml.org,2002:python/name:os.system is not used here: "
        "write the plain value",
    ),
    (
        "the inner name of a key is none",
        replaced("triggers/hello.yaml", "when:", "condition: spend > 0\nwhen:"),
        "triggers/hello.yaml:1: unknown key 'condition': ",
    ),
    (
        "the name is the file's own",
        replaced("tags/vip.yaml", "group:", "name: vip\ngroup:"),
        "tags/vip.yaml:1: unknown key 'name': the name is the file's own name",
    ),
    (
        "a value of a closed list is told with the nearest",
        replaced("sources/orders.yaml", "type: text", "type: txet"),
        "sources/orders.yaml:7: 'txet' is no columns.status.type: did you mean 'text'?",
    ),
    (
        "a zone must exist",
        replaced("tintype.toml", "Asia/Shanghai", "Asia/Shanghi"),
        "tintype.toml:2: 'Asia/Shanghi' is no time zone: did you mean 'Asia/Shanghai'?",
    ),
    (
        "a group names existing tags",
        replaced("tintype.toml", '"vip", ', '"vip", "vpi", '),
        "tintype.toml:5: there is no tag 'vpi': did you mean 'vip'?",
    ),
    (
        "a tag's group lists it",
        replaced("tintype.toml", '"vip", "普通"', '"普通", "hand"') | {"tags/hand.yaml": "group: value\n"},
        "tags/vip.yaml:1: group 'value' does not list 'vip': "
        "add it to the group's order under [groups] in tintype.toml",
    ),
    (
        "a listed tag names its group",
        replaced("tags/普通.yaml", "group: value\n", ""),
        "tags/普通.yaml:1: is listed in group 'value': add 'group: value'",
    ),
    (
        "a source has references or via, not both",
        replaced("sources/refunds.yaml", "via:", "references: [{type: m, column: m}]\nvia:"),
        "sources/refunds.yaml:3: exactly one of 'references' and 'via' must say who "
        "the customer is: declare one",
    ),
    (
        "a source says who the customer is",
        replaced("sources/refunds.yaml", "via: {source: orders, column: order_id}\n", ""),
        "sources/refunds.yaml:1: exactly one of 'references' and 'via' must say who "
        "the customer is: declare one",
    ),
    (
        "a via source exists",
        replaced("sources/refunds.yaml", "source: orders", "source: order"),
        "sources/refunds.yaml:2: there is no source 'order': did you mean 'orders'?",
    ),
    (
        "via does not go in a circle",
        replaced("sources/refunds.yaml", "source: orders", "source: refunds"),
        "sources/refunds.yaml:2: goes in a circle (refunds -> refunds): one of them needs 'references'",
    ),
    (
        "a source may be silent for a length, or never be stale",
        replaced("sources/refunds.yaml", "via:", "stale_after: forever\nvia:"),
        "sources/refunds.yaml:2: 'forever' is no length: write a whole number and m, h, d or w",
    ),
    (
        "either a column or the parent dates the rows",
        replaced("sources/refunds.yaml", "{column: created_at}", "{column: created_at, parent: true}"),
        "sources/refunds.yaml:3: exactly one of 'column' and 'parent: true' must say when a row happened: "
        "declare one",
    ),
    (
        "who has no parent is not dated by one",
        replaced("sources/orders.yaml", "{column: created_at}", "{parent: true}"),
        "sources/orders.yaml:4: rows without 'via' have no parent to be dated by: "
        "declare 'via', or the 'column' of the event time",
    ),
    (
        "refunds that shall count at their order's time are dated by it (R1)",
        replaced("rfm.yaml", "monetary: sum(orders.amount)",
                 "monetary: sum(orders.amount) - sum(refunds.amount)\nrefund_at: order"),
        "rfm.yaml:3: column 22: monetary: refund_at is order, and 'refunds' has event times of its own: "
        "write 'event_time: {parent: true}' in sources/refunds.yaml, or remove 'refund_at'",
    ),
    (
        "a date of refunds needs something that is subtracted (R1)",
        replaced("rfm.yaml", "monetary: sum(orders.amount)",
                 "monetary: sum(orders.amount)\nrefund_at: order"),
        "rfm.yaml:3: column 1: monetary: subtracts nothing that refund_at could date: remove 'refund_at'",
    ),
    (
        "a trigger has exactly one occasion",
        replaced("triggers/hello.yaml", "{enter: vip}", "{enter: vip, leave: vip}"),
        "triggers/hello.yaml:1: has 2 occasions (enter, leave): "
        "give exactly one of event, enter, leave, absence, schedule",
    ),
    (
        "a time of day is HH:MM",
        replaced("triggers/hello.yaml", "{enter: vip}", "{schedule: {at: 24:00}}"),
        "triggers/hello.yaml:1: '24:00' is no time of day: write HH:MM, such as 09:30",
    ),
    (
        "a segment exists",
        replaced("triggers/hello.yaml", "{enter: vip}", '{enter: "segment:Bset"}'),
        "triggers/hello.yaml:1: there is no segment 'Bset': did you mean 'Best'?",
    ),
    (
        "a length is a whole number and a unit",
        replaced("triggers/hello.yaml", "cool_down: 30d", "cool_down: 30 days"),
        "triggers/hello.yaml:2: '30 days' is no length: write a whole number and m, h, d or w, such as '30d'",
    ),
    (
        "a channel exists",
        replaced("triggers/hello.yaml", "channel: sms", "channel: smss"),
        "triggers/hello.yaml:3: there is no channel 'smss': did you mean 'sms'?",
    ),
    (
        "a template has its values",
        replaced("triggers/hello.yaml", "values: {fen: spend}", "values: {yuan: spend}"),
        "triggers/hello.yaml:3: the template needs the value 'fen': add 'values: {fen: RULE}'",
    ),
    (
        "method fixed needs cut points",
        replaced("rfm.yaml", "window: 365d", "window: 365d\nmethod: fixed"),
        "rfm.yaml:1: method fixed needs cut points: add 'fixed:' with recency, frequency, monetary",
    ),
    (
        "a range of scores is low to high",
        replaced("rfm.yaml", "f: [4, 5]", "f: [5, 6]"),
        "rfm.yaml:5: [5, 6] is no range of scores: write low and high within 1 to 5",
    ),
    (
        "a rule's error is told at the line and column of its text",
        replaced("tags/vip.yaml", "rule: spend >= 500000", "rule: |\n  spend >= 500000 &&\n  spent > 1"),
        "tags/vip.yaml:4: column 1: ",
    ),
    (
        "tags do not rest on each other in a circle, nor through their group (G2)",
        replaced("tags/vip.yaml", "spend >= 500000", "'!(\"普通\" in tags)'"),
        "tags/vip.yaml:2: tags rest on each other in a circle (group 'value' -> group 'value'): "
        "one of them must not rest on the other",
    ),
    (
        "a timeline's rows have the columns of the file",
        replaced("tags/vip.test.yaml", "amount: 9.99", "amout: 9.99"),
        "tags/vip.test.yaml:8: 'amout' is no column of a file of 'orders': did you mean 'amount'?",
    ),
    (
        "a timeline's clock does not run back",
        replaced("tags/vip.test.yaml", "- insert:", "- {at: +1h}\n      - at: +59m\n        insert:"),
        "tags/vip.test.yaml:7: '+59m' is before the step above: order the steps",
    ),
    (
        "nothing is heard of a source that there is",
        replaced("tags/vip.test.yaml", "    steps:", "    stale: [order]\n    steps:"),
        "tags/vip.test.yaml:5: there is no source 'order': did you mean 'orders'?",
    ),
    (
        "and that can be stale",
        replaced("tags/vip.test.yaml", "    steps:", "    stale: [orders]\n    steps:"),
        "tags/vip.test.yaml:5: source 'orders' is never stale: give it 'stale_after', or leave it out",
    ),
    (
        "a timeline without its rule is told",
        {"tags/vpi.test.yaml": GOOD["tags/vip.test.yaml"]},
        "tags/vpi.test.yaml:1: there is no vpi.yaml beside it: did you mean 'vip'?",
    ),
    (
        "a misspelt file does not silently mean nothing",
        {"metric.yaml": "a: b\n"},
        "metric.yaml:1: does not belong into a shop's folder: did you mean 'metrics.yaml'?",
    ),
    (
        "TOML errors have their line",
        replaced("tintype.toml", 'zone = "Asia/Shanghai"', "zone = Asia/Shanghai"),
        "tintype.toml:2: is no TOML (Invalid value): text stands in quotes, lists in [ ]",
    ),
    (
        "one document a file",
        replaced("tags/vip.yaml", "rule:", "---\nrule:"),
        "tags/vip.yaml:2: a second document begins: one document a file",
    ),
]


@pytest.mark.parametrize(("behaviour", "changes", "expected"), CASES, ids=[case[0] for case in CASES])
def test_every_mistake_is_told_with_its_line_and_what_to_do(
    tmp_path: Path, behaviour: str, changes: dict[str, str | None], expected: str
) -> None:
    assert [error for error in errors_of(tmp_path, changes) if error.startswith(expected)], errors_of(
        tmp_path, changes
    )


def test_all_mistakes_of_a_folder_come_at_once_and_in_order(tmp_path: Path) -> None:
    changes = (
        replaced("tintype.toml", "Asia/Shanghai", "Mars/Olympus")
        | replaced("tags/vip.yaml", "rule:", "rul:")
        | replaced("triggers/hello.yaml", "template: hi", "template: ho")
        | replaced("sources/refunds.yaml", "source: orders", "source: ordres")
    )
    told = [error.split(": ")[0] for error in errors_of(tmp_path, changes)]
    assert told == ["sources/refunds.yaml:2", "tags/vip.yaml:2", "tintype.toml:2", "triggers/hello.yaml:3"]


def test_refunds_that_their_order_dates_are_read(tmp_path: Path) -> None:
    """R1: the file of such a source needs no column of event times."""
    changes = replaced("sources/refunds.yaml", "{column: created_at}", "{parent: true}") | replaced(
        "rfm.yaml", "sum(orders.amount)", "sum(orders.amount) - sum(refunds.amount)\nrefund_at: order"
    )
    shop = load_shop(write_shop(tmp_path, changes))
    assert shop.rfm[0].refund_at == "order"
    assert file_columns(shop.sources["refunds"]) == ["refund_id", "order_id", "amount"]


def test_a_broken_file_does_not_make_errors_where_it_is_named(tmp_path: Path) -> None:
    errors = errors_of(tmp_path, {"sources/orders.yaml": "key: [a\n", "tags/vip.yaml": "rule: [\n"})
    assert [error.split(":")[0] for error in errors] == ["sources/orders.yaml", "tags/vip.yaml"]


def test_a_file_that_is_too_large_or_no_utf8_is_refused(tmp_path: Path) -> None:
    folder = write_shop(tmp_path, {})
    (folder / "tags" / "vip.yaml").write_bytes(b"group: value\nrule: '\xff'\n")
    (folder / "metrics.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError) as caught:
        load_shop(folder)
    told = [str(error) for error in caught.value.errors]
    assert "tags/vip.yaml:2: is not UTF-8: save the file as UTF-8" in told
    assert "metrics.yaml:1: larger than 1 MB: split it into several files" in told


def test_deep_nesting_is_refused_without_recursion(tmp_path: Path) -> None:
    errors = errors_of(tmp_path, {"metrics.yaml": "a: " + "[" * 100_000})
    assert errors == ["metrics.yaml:1: nested deeper than 20 levels: flatten it"]


def test_a_folder_without_tintype_toml_is_no_shop(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is no shop's folder: name a folder that holds a tintype.toml"):
        load_shop(tmp_path)
