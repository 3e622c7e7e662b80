# ruff: noqa: E501 - one case a line, so that the table reads as one
"""Bad configuration: what stands in a shop's folder, and what is told, at its line.

Each row: what is wrong, the changed files of the good shop (tests/app/little_shop.py), and how the error begins:
file:line: problem: hint. Where a file's text is a function, it makes the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.app.little_shop import GOOD

Body = str | bytes | Callable[[Path], object] | None
SLOTS = "recommendations.yaml"
ORDERS, TOML, LINE, TRIGGER = "sources/orders.yaml", "tintype.toml", "tags/vip.test.yaml", "triggers/hello.yaml"


def put(name: str, old: str, new: str) -> dict[str, Body]:
    """Return a good file with a part replaced."""
    assert old in GOOD[name], (name, old)
    return {name: GOOD[name].replace(old, new, 1)}


def rule(text: str) -> dict[str, Body]:
    """Return the tag ``vip`` with another rule, in YAML."""
    return put("tags/vip.yaml", "spend >= 500000", text)


def _channels(provider: str, templates: str = "{}") -> dict[str, Body]:
    return {"channels.yaml": f"sms:\n  templates: {templates}\n  providers:\n    - {{{provider}}}\n"}


def aliyun(keys: str) -> dict[str, Body]:
    """Return a channel with a template ``hi`` and a provider of kind aliyun."""
    return _channels(f"kind: aliyun, {keys}", "{hi: 'you spent {{ fen }} or {{ yuan }}'}")


def tencent(template: str) -> dict[str, Body]:
    """Return a channel with a template ``hi``, which the provider of kind tencent has as 1001."""
    theirs = f"{{hi: {{code: '1001', {template}}}}}"
    keys = f"kind: tencent, sign_name: 云裳, app_id: '1400006666', provider_templates: {theirs}"
    return _channels(keys, "{hi: 'you spent {{ fen }}'}")


def linked(keys: str) -> dict[str, Body]:
    """Return a channel whose provider of kind aliyun has a template's link in a variable."""
    theirs = "{hi: {code: SMS_1, variables: {link: url}}}"
    return {"channels.yaml": (
        "sms:\n  templates:\n    hi: {text: 'you spent {{ fen }}: {{ link }}', link: 'https://a.example'}\n"
        f"  providers: [{{kind: aliyun, sign_name: 云裳, provider_templates: {theirs}, {keys}}}]\n"
    )}  # fmt: skip


def smpp(keys: str, text: str) -> dict[str, Body]:
    """Return a channel with a text and a provider of kind smpp."""
    who = "kind: smpp, host: x, system_id: x, password_env: X"
    return {"channels.yaml": f"sms:\n  templates:\n    hi: '{text}'\n  providers:\n    - {{{who}, {keys}}}\n"}


def twilio(keys: str) -> dict[str, Body]:
    """Return a channel with a provider of kind twilio."""
    return {"channels.yaml": f"sms:\n  providers:\n    - {{kind: twilio, {keys}}}\n"}


def provider(text: str) -> dict[str, Body]:
    """Return channels of one provider, in YAML, at line 3."""
    return {"channels.yaml": f"sms:\n  providers:\n    - {text}\n"}


def text(template: str) -> dict[str, Body]:
    """Return the template ``hi`` with another text."""
    return {"channels.yaml": f"sms:\n  templates:\n    hi: {json.dumps(template, ensure_ascii=False)}\n"}


def slots(text: str) -> dict[str, Body]:
    """Return recommendations with an interest, and this in YAML from line 2 on."""
    return {SLOTS: f"interests: [{{source: orders, item: status}}]\n{text}\n"}


def interest(keys: str) -> dict[str, Body]:
    """Return recommendations of this one interest, in YAML, at line 1."""
    return {SLOTS: f"interests: [{{{keys}}}]\nslots: {{home: {{}}}}\n"}


def _bomb() -> str:
    letters = "abcdefghi"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{now}: &{now} [{', '.join([f'*{before}'] * 9)}]" for before, now in pairwise(letters)]
    return "\n".join(lines)


MEMBER = "  - {type: member, column: member_id}\n"
ENDLESS = '"' + "(" * 300 + "spend > 0" + ")" * 300 + '"'
CDC = "format: {type: debezium}\n"
def guards(text: str) -> dict[str, Body]:
    """Return the shop's guards, in TOML, at line 4 of tintype.toml."""
    return put(TOML, "\n[groups]", f"[guards]\n{text}\n\n[groups]")


def coupons(pool: str, template: str = "take {{ coupon }}", action: str = "coupon: spring") -> dict[str, Body]:
    """Return a pool of coupons, in YAML, at line 1, and a trigger whose message says a code."""
    trigger = put(TRIGGER, "values: {fen: spend}", action)
    return {"coupons.yaml": f"spring: {pool}\n", **text(template), **trigger}


HOLDING = """\
when: {event: {source: orders}}
if: row.amount > 5
guards: {quiet_hours: {from: 22:00, until: 08:00}}
action: {channel: sms, template: hi, values: {fen: spend}}
"""
BAD_FOLDERS: list[tuple[str, dict[str, Body], str]] = [
    # YAML
    ("a YAML bomb", {"metrics.yaml": _bomb()}, "metrics.yaml:1: anchors and aliases (& and *) are not used here: write the value out"),
    ("a YAML tag that would run", {"metrics.yaml": 'a: !!python/object/apply:os.system ["x"]\n'}, "metrics.yaml:1: the tag tag:yaml.org,2002:python/object/apply:os.system is not used here"),
    ("a tab for blanks", put(ORDERS, "  amount", "\tamount"), f"{ORDERS}:6: is no YAML (found character '\\t' that cannot start any token): check indentation"),
    ("a key twice", put(ORDERS, "key: [order_id]", "key: [order_id]\nkey: [x]"), f"{ORDERS}:2: key 'key' stands twice: keep one; the first is in line 1"),
    ("a quote that never closes", {"metrics.yaml": 'a: "x\n'}, "metrics.yaml:2: is no YAML"),
    ("two colons", {"metrics.yaml": "a: b: c\n"}, "metrics.yaml:1: is no YAML (mapping values are not allowed here): check indentation, colons and quotes"),
    ("a control character", {"metrics.yaml": 'a: "\x07"\n'}, "metrics.yaml:1: holds a control character: remove it"),
    ("half a character", {"tags/vip.yaml": 'rule: "spend > 0 \\uD800"\n'}, "tags/vip.yaml:1: holds half of a character: write both halves, or neither"),
    ("two documents", {"metrics.yaml": "a: b\n---\nc: d\n"}, "metrics.yaml:2: a second document begins: one document a file"),
    ("nested without end", {"metrics.yaml": "a: " + "[" * 100_000}, "metrics.yaml:1: nested deeper than 20 levels: flatten it"),
    ("UTF-16", {"metrics.yaml": "a: b".encode("utf-16")}, "metrics.yaml:1: is not UTF-8: save the file as UTF-8"),
    ("Latin-1", {"metrics.yaml": b'a: "\xe9"\n'}, "metrics.yaml:1: is not UTF-8: save the file as UTF-8"),
    ("noise", {"metrics.yaml": bytes(range(256))}, "metrics.yaml:2: is not UTF-8: save the file as UTF-8"),
    ("a file of 2 MB", {"metrics.yaml": "#" * 2_000_000}, "metrics.yaml:1: larger than 1 MB: split it into several files"),
    ("a folder for a file", {"metrics.yaml": lambda path: path.mkdir()}, "metrics.yaml:1: cannot be read (Is a directory): check the file and its rights"),
    ("a link in a circle", {"metrics.yaml": lambda path: path.symlink_to(path)}, "metrics.yaml:1: cannot be read (Too many levels of symbolic links)"),
    ("a link to nothing", {"metrics.yaml": lambda path: path.symlink_to("nothing")}, "metrics.yaml:1: cannot be read (No such file or directory)"),
    ("a file for a folder", {ORDERS: None, "sources/refunds.yaml": None, "sources": "x"}, "sources:1: is a file: make it a folder"),
    ("a folder in a folder", {"sources/x.yaml": lambda path: path.mkdir()}, "sources/x.yaml:1: a folder inside a folder: put the files directly into sources/"),
    ("another ending", {"sources/x.yml": "a: b\n"}, "sources/x.yml:1: is no .yaml file: name it x.yaml or take it away"),
    ("a misspelt folder", {"sourcs/x.yaml": "a: b\n"}, "sourcs:1: does not belong into a shop's folder: did you mean 'sources'?"),
    ("a name with a quote", {'tags/a"b.yaml': "rule: spend > 0\n"}, "tags/a\"b.yaml:1: 'a\"b' is no name: use no quotes"),
    # sources
    ("an empty source", {ORDERS: ""}, f"{ORDERS}:1: key 'key' is missing: add 'key:'"),
    ("a source of a list", {ORDERS: "- a\n"}, f"{ORDERS}:1: '{ORDERS}' must be a mapping: write 'key: value' lines"),
    ("a source of a text", {ORDERS: "hello\n"}, f"{ORDERS}:1: '{ORDERS}' must be a mapping: write 'key: value' lines"),
    ("a key of a text", put(ORDERS, "[order_id]", "order_id"), f"{ORDERS}:1: 'key' must be a list: write [a, b]"),
    ("an empty key", put(ORDERS, "[order_id]", "[]"), f"{ORDERS}:1: 'key' must not be empty: name at least one"),
    ("a key of a number", put(ORDERS, "[order_id]", "[1]"), f"{ORDERS}:1: 'key.0' must be text: put it in quotes"),
    ("a key column without a name", put(ORDERS, "[order_id]", '[""]'), f"{ORDERS}:1: '' is no further column: name each column of the key once"),
    ("a key column twice", put(ORDERS, "[order_id]", "[order_id, order_id]"), f"{ORDERS}:1: 'order_id' is no further column: name each column of the key once"),
    ("a scale of 99", put(ORDERS, "scale: 2", "scale: 99"), f"{ORDERS}:6: 'columns.amount.scale' must be at most 6: correct the value"),
    ("a scale of -1", put(ORDERS, "scale: 2", "scale: -1"), f"{ORDERS}:6: 'columns.amount.scale' must be at least 0: correct the value"),
    ("a scale in words", put(ORDERS, "scale: 2", "scale: two"), f"{ORDERS}:6: 'columns.amount.scale' must be a whole number: write digits only"),
    ("a type that is none", put(ORDERS, "type: text", "type: float"), f"{ORDERS}:7: 'float' is no columns.status.type: there are: bool, date, decimal"),
    ("no type", put(ORDERS, "type: text", "type:"), f"{ORDERS}:7: '' is no columns.status.type: there are: bool"),
    ("columns of a list", put(ORDERS, "columns:\n", "columns: []\nx:\n"), f"{ORDERS}:5: 'columns' must be a mapping"),
    ("a zone that is none", put(ORDERS, "created_at}", "created_at, zone: Mars}"), f"{ORDERS}:4: 'Mars' is no time zone: write a name such as Asia/Shanghai"),
    ("a time's format of another language", put(ORDERS, "created_at}", 'created_at, format: "yyyy-MM-dd"}'), f"{ORDERS}:4: 'yyyy-MM-dd' is no time format: write epoch_s, epoch_ms"),
    ("a directive that is none", put(ORDERS, "created_at}", 'created_at, format: "%Q"}'), f"{ORDERS}:4: '%Q' is no time format: write strptime directives"),
    ("no event time", put(ORDERS, "{column: created_at}", "{}"), f"{ORDERS}:4: exactly one of 'column' and 'parent: true' must say when a row happened"),
    ("nobody is named", put(ORDERS, MEMBER, "  []\n"), f"{ORDERS}:1: exactly one of 'references' and 'via' must say who the customer is"),
    ("a reference without a type", put(ORDERS, "type: member", 'type: ""'), f"{ORDERS}:3: '' is no type: write a word such as member"),
    ("a type with a colon", put(ORDERS, "type: member", "type: 'a:b'"), f"{ORDERS}:3: 'a:b' is no type: write a word such as member"),
    ("a reference twice", put(ORDERS, MEMBER, MEMBER * 2), f"{ORDERS}:4: 'member_id' is no further column: name each column once"),
    ("a currency in words", put(ORDERS, "CNY", "yuan"), f"{ORDERS}:6: 'yuan' is no currency: write three capitals (EUR)"),
    ("a minimum above the maximum", put(ORDERS, "currency: CNY", "minimum: 5, maximum: 1"), f"{ORDERS}:6: is above the maximum: swap them"),
    ("nothing is allowed", put(ORDERS, "type: text", "type: text, allowed: []"), f"{ORDERS}:7: allows nothing: list values, or remove it"),
    ("numbers for texts", put(ORDERS, "type: text", "type: text, allowed: [1]"), f"{ORDERS}:7: 1 is not of type text: correct the list"),
    ("a column with a blank", put(ORDERS, "amount:", '"a b":'), f"{ORDERS}:6: 'a b' is no name: name it with letters, digits and _"),
    ("a column from nowhere", put(ORDERS, "type: text", 'type: text, from: ""'), f"{ORDERS}:7: 'from' is empty: name the file's column"),
    ("an attribute with a blank", put(ORDERS, "type: text", 'type: text, attribute: "a b"'), f"{ORDERS}:7: 'a b' is no name: use letters"),
    ("required, perhaps", put(ORDERS, "type: text", "type: text, required: maybe"), f"{ORDERS}:7: 'columns.status.required' must be true or false"),
    ("a length of 1,000 years", put(ORDERS, "key:", "max_future: 365000d\nkey:"), f"{ORDERS}:1: '365000d' is longer than 20 years: write a shorter one"),
    ("a length of 5,000 digits", put(ORDERS, "key:", f"max_future: {'9' * 5000}d\nkey:"), f"{ORDERS}:1: '99999999999999999999...' is longer than 20 years"),
    ("a length in words", put(ORDERS, "key:", "duplicate_horizon: soon\nkey:"), f"{ORDERS}:1: 'soon' is no length: write a whole number and m, h, d or w"),
    ("a format that is none", put(ORDERS, "key:", "format: {type: xml}\nkey:"), f"{ORDERS}:1: 'xml' is no format.type: there are: auto, canal, csv"),
    ("an encoding that is none", put(ORDERS, "key:", "format: {encoding: klingon}\nkey:"), f"{ORDERS}:1: encoding 'klingon' is unknown: write a name such as utf-8"),
    ("a separator of two signs", put(ORDERS, "key:", 'format: {separator: "::"}\nkey:'), f"{ORDERS}:1: '::' is no separator: write one character"),
    ("sheet -1", put(ORDERS, "key:", "format: {sheet: -1}\nkey:"), f"{ORDERS}:1: there is no sheet -1: sheets are counted from 0"),
    ("a kind that is none", put(ORDERS, "key:", "kind: things\nkey:"), f"{ORDERS}:1: 'things' is no kind: did you mean 'tags'?"),
    ("a filter that is misspelt", put(ORDERS, "key:", "where: amuont > 0\nkey:"), f"{ORDERS}:1: column 1: 'amuont' is no column of source 'orders': did you mean 'amount'?"),
    ("wire where no message is", put(ORDERS, "scale: 2", "scale: 2, wire: base64"), f"{ORDERS}:6: 'wire' is for change messages only: declare format.type"),
    ("base64 without a scale", {ORDERS: CDC + GOOD[ORDERS].replace("scale: 2", "scale: 2, wire: base64")}, f"{ORDERS}:6: column 'amount': a base64 decimal does not say its scale: add wire_scale"),
    ("a number for a time without a zone", {ORDERS: CDC + GOOD[ORDERS].replace("created_at}", "created_at, wire: epoch_ms}")}, f"{ORDERS}:6: column 'created_at': wire epoch_ms does not say its zone: declare zone"),
    ("a wire that is none", put(ORDERS, "type: text", "type: text, wire: morse"), f"{ORDERS}:7: 'morse' is no columns.status.wire"),
    ("a source through itself", put("sources/refunds.yaml", "source: orders", "source: refunds"), "sources/refunds.yaml:2: goes in a circle (refunds -> refunds): one of them needs 'references'"),
    ("two sources through each other", put(ORDERS, "references:\n" + MEMBER, "via: {source: refunds, column: x}\n"), f"{ORDERS}:2: goes in a circle (orders -> refunds -> orders): one of them needs 'references'"),
    # rules and metrics
    ("a window of 1,000 years", put("metrics.yaml", "365d", "365000d"), "metrics.yaml:1: column 20: '365000d' is longer than 20 years: write 'all' for everything"),
    ("a window of no length", put("metrics.yaml", "365d", "0d"), "metrics.yaml:1: column 20: '0d' is empty: the shortest length is '1m'"),
    ("a window that ends before it begins", put("metrics.yaml", "365d", "-5d"), "metrics.yaml:1: column 20: '-5d' is no window: write a length such as '30d'"),
    ("a window in years", put("metrics.yaml", "365d", "1y"), "metrics.yaml:1: column 20: '1y' is no window: write a length such as '30d'"),
    ("an offset without end", put("metrics.yaml", "365d", "month offset " + "9" * 30), "metrics.yaml:1: column 20: offset 999999999 is too far back: the limit is 20"),
    ("a misspelt column", put("metrics.yaml", "orders.amount", "orders.amout"), "metrics.yaml:1: column 5: 'orders' has no column 'amout': did you mean 'amount'?"),
    ("a misspelt source", put("metrics.yaml", "orders.", "order."), "metrics.yaml:1: column 5: source 'order' is not declared: did you mean 'orders'?"),
    ("a metric of metrics", {"metrics.yaml": "spend: b + 1\nb: spend + 1\n"}, "metrics.yaml:1: column 1: a metric is counted from rows, and this is not"),
    ("a metric of 900,000 letters", {"metrics.yaml": "a: " + "x" * 900_000}, "metrics.yaml:1: column 1: the rule has 900000 characters, the limit is 4000"),
    ("a metric of a list", {"metrics.yaml": "spend: [1]\n"}, "metrics.yaml:1: 'spend' must be text: write a metric expression"),
    ("a misspelt name", rule("spned > 1"), "tags/vip.yaml:2: column 1: 'spned' is not declared: did you mean 'spend'?"),
    ("a tag that rests on itself", {"tags/a.yaml": "rule: '\"a\" in tags'\n"}, "tags/a.yaml:1: tags rest on each other in a circle (a -> a): one of them must not"),
    ("tags that rest on each other", {"tags/a.yaml": "rule: '\"b\" in tags'\n", "tags/b.yaml": "rule: '\"a\" in tags'\n"}, "tags/a.yaml:1: tags rest on each other in a circle (a -> b -> a)"),
    ("a number against a text", rule("'spend > \"x\"'"), "tags/vip.yaml:2: column 1: orders.amount (a whole number) is compared with a text: compare like with like"),
    ("two signs", rule("spend >= >= 5"), "tags/vip.yaml:2: column 10: '>=' is not expected here: write a name, a number"),
    ("a full-width sign", rule("spend ＞ 5"), "tags/vip.yaml:2: column 7: '＞' is a full-width sign: write '>'"),
    ("an emoji", rule("spend > 💰"), "tags/vip.yaml:2: column 9: '💰' is not understood here"),
    ("a zero character", rule('"spend \\0 > 1"'), "tags/vip.yaml:2: column 7: 'U+0000' is not understood here"),
    ("a call of Python", rule("'__import__(\"os\").system(\"x\")'"), "tags/vip.yaml:2: column 17: '.' is not expected here"),
    ("a number of 40 digits", rule("spend > " + "9" * 40), "tags/vip.yaml:2: column 9: 9999999999999999999999999999999999999999 does not fit into 64 bits"),
    ("an empty rule", rule("''"), "tags/vip.yaml:2: column 1: the rule is empty: write a condition"),
    ("a rule that is no condition", rule("spend"), "tags/vip.yaml:2: column 1: a rule takes true or false, and this is orders.amount"),
    ("a rule of a list", rule("[spend, 5]"), "tags/vip.yaml:2: 'rule' must be text: put it in quotes"),
    ("a rule without end", rule("'" + "spend >= 1 && " * 400 + "true'"), "tags/vip.yaml:2: column 1: the rule has 5604 characters, the limit is 4000"),
    ("a rule nested without end", rule(ENDLESS), "tags/vip.yaml:2: column 34: the rule is nested deeper than 32 levels"),
    ("sticky for 1,000 years", {"tags/vip.yaml": GOOD["tags/vip.yaml"] + "sticky: 365000d\n"}, "tags/vip.yaml:3: '365000d' is longer than 20 years: write a shorter one"),
    # rfm, triggers, channels, timelines
    ("scores from high to low", put("rfm.yaml", "r: [4, 5]", "r: [5, 4]"), "rfm.yaml:5: [5, 4] is no range of scores: write low and high within 1 to 5"),
    ("a range of one", put("rfm.yaml", "r: [4, 5]", "r: [4]"), "rfm.yaml:5: 'segments.0.r' must be a list of two: write [low, high]"),
    ("a range in words", put("rfm.yaml", "r: [4, 5]", "r: high"), "rfm.yaml:5: 'segments.0.r' must be a list of two: write [low, high]"),
    ("100 bins", put("rfm.yaml", "window: 365d", "window: 365d\nbins: 100"), "rfm.yaml:2: 'bins' must be at most 10: correct the value"),
    ("a method that is none", put("rfm.yaml", "window: 365d", "window: 365d\nmethod: kmeans"), "rfm.yaml:2: 'kmeans' is no method: did you mean 'mean'?"),
    ("a sum of texts", put("rfm.yaml", "sum(orders.amount)", "sum(orders.status)"), "rfm.yaml:3: column 5: monetary: orders.status is text: sum cannot take it"),
    ("a tag that is not there", put(TRIGGER, "enter: vip", "enter: vpi"), f"{TRIGGER}:1: there is no tag 'vpi': did you mean 'vip'?"),
    ("no occasion", put(TRIGGER, "{enter: vip}", "{}"), f"{TRIGGER}:1: has 0 occasions: give exactly one of event, enter"),
    ("25 o'clock", put(TRIGGER, "{enter: vip}", "{schedule: {at: 25:00}}"), f"{TRIGGER}:1: '25:00' is no time of day: write HH:MM"),
    ("a consent of one word", put(TRIGGER, "sms/marketing", "sms"), f"{TRIGGER}:2: 'sms' is no consent: write channel/purpose"),
    ("a channel that is not there", put(TRIGGER, "channel: sms", "channel: fax"), f"{TRIGGER}:3: there is no channel 'fax': there are: sms"),
    ("an operation that is none", put(TRIGGER, "{enter: vip}", "{event: {source: orders, operations: [upsert]}}"), f"{TRIGGER}:1: 'upsert' is no when.event.operations.0: did you mean 'insert'?"),
    ("a provider of no kind", {"channels.yaml": "sms:\n  providers:\n    - {kind: pigeon}\n"}, "channels.yaml:3: 'pigeon' is no kind: there are: "),
    ("a provider without a kind", {"channels.yaml": "sms:\n  providers:\n    - {path: x}\n"}, "channels.yaml:3: key 'kind' is missing: add 'kind:'"),
    ("a misspelt key of a provider", {"channels.yaml": "sms:\n  providers:\n    - {kind: file, path: x, limts: []}\n"}, "channels.yaml:3: unknown key 'limts': did you mean 'limits'?"),
    ("an SMSC without an account", {"channels.yaml": "sms:\n  providers:\n    - {kind: smpp, host: x, password_env: X}\n"}, "channels.yaml:3: key 'system_id' is missing: add 'system_id:'"),
    ("an SMSC of a long account", {"channels.yaml": "sms:\n  providers:\n    - {kind: smpp, host: x, system_id: sixteenletters16, password_env: X}\n"}, "channels.yaml:3: 'providers.0.system_id': string should have at most 15 characters"),
    ("an SMSC with a window of 0", {"channels.yaml": "sms:\n  providers:\n    - {kind: smpp, host: x, system_id: x, password_env: X, window: 0}\n"}, "channels.yaml:3: 'providers.0.window' must be at least 1"),
    ("an SMSC of no time zone", {"channels.yaml": "sms:\n  providers:\n    - {kind: smpp, host: x, system_id: x, password_env: X, zone: Mars}\n"}, "channels.yaml:3: 'Mars' is no time zone: write a name such as Asia/Shanghai"),
    ("a text without its signature", smpp("signature: 【云裳】", "您好 【云裳】。"), "channels.yaml:3: the text lacks its signature: begin or end it with 【云裳】"),
    ("a signature of SMPP without brackets", smpp("signature: 云裳", "云裳"), "channels.yaml:5: 'providers.0.signature'"),
    ("an inbox that keeps for no length", {"channels.yaml": "app:\n  providers: [{kind: inbox, keep: 5y}]\n"}, "channels.yaml:2: '5y' is no length: write a whole number and s, m, h, d or w"),
    ("an inbox of no messages", {"channels.yaml": "app:\n  providers: [{kind: inbox, most: 0}]\n"}, "channels.yaml:2: 'providers.0.most' must be at least 1: correct the value"),
    ("no providers", {"channels.yaml": "sms:\n  providers: []\n"}, "channels.yaml:2: 'providers' must not be empty: name at least one"),
    ("a signature in brackets", aliyun("sign_name: 【云裳】"), "channels.yaml:4: '【云裳】' holds more than letters and digits: write the approved signature alone"),
    ("a signature of one character", aliyun("sign_name: 云"), "channels.yaml:4: '云' has 1 characters: write the approved signature: it has 2 to 12"),
    ("no signature", aliyun("batch: 1"), "channels.yaml:4: key 'sign_name' is missing: add 'sign_name:'"),
    ("a batch of 101", aliyun("sign_name: 云裳, batch: 101"), "channels.yaml:4: 'providers.0.batch' must be at most 100"),
    ("a time-out of no length, of SMS in the cloud", aliyun("sign_name: 云裳, timeout: soon"), "channels.yaml:4: 'soon' is no length: write a whole number"),
    ("an endpoint without a scheme", aliyun("sign_name: 云裳, endpoint: dysmsapi.aliyuncs.com"), "channels.yaml:4: 'dysmsapi.aliyuncs.com' is no address: write https:// and the host"),
    ("an endpoint with a path", aliyun("sign_name: 云裳, endpoint: 'https://a.example/x'"), "channels.yaml:4: 'https://a.example/x' is more than a host: write https://a.example"),
    ("a template that the provider does not know", aliyun("sign_name: 云裳"), "channels.yaml:4: provider_templates lacks 'hi': name the provider's own template for it"),
    ("a provider's template of none", aliyun("sign_name: 云裳, provider_templates: {ho: {code: SMS_1}}"), "channels.yaml:4: there is no template 'ho': there are: hi"),
    ("a provider's template without a code", aliyun("sign_name: 云裳, provider_templates: {hi: {}}"), "channels.yaml:4: key 'code' is missing: add 'code:'"),
    ("a provider's variable of none", aliyun("sign_name: 云裳, provider_templates: {hi: {code: SMS_1, variables: {fan: x}}}"), "channels.yaml:4: the template has no variable 'fan': did you mean 'fen'?"),
    ("two variables of one name", aliyun("sign_name: 云裳, provider_templates: {hi: {code: SMS_1, variables: {fen: x, yuan: x}}}"), "channels.yaml:4: two variables have one name at the provider: give each its own"),
    ("a gap in Tencent's variables", tencent("variables: {fen: 2}"), "channels.yaml:4: Tencent's variables are numbered without a gap: number them from 1 to 1"),
    ("a link in a variable without short ones", linked(""), "channels.yaml:4: a variable holds no address, only the code of a short link: set [links] base in tintype.toml"),
    ("a link in a variable that is too short", linked("variable_length: 6") | {"tintype.toml": GOOD["tintype.toml"] + '\n[links]\nbase = "https://s.example"\n'}, "channels.yaml:4: the code of a short link has 15 characters, a variable may have 6"),
    ("Tencent's application as a number", {"channels.yaml": "sms:\n  providers:\n    - {kind: tencent, sign_name: 云裳, app_id: 1400006666}\n"}, "channels.yaml:3: 'providers.0.app_id' must be text: put it in quotes"),
    ("a sender that is none", twilio("sender: '12025550100'"), "channels.yaml:3: '12025550100' is no sender: write a number with +, a sender id"),
    ("a country that is none", twilio("sender: Yunshang, country_code: '+86'"), "channels.yaml:3: '+86' is no code of a country: write its digits, such as '86'"),
    ("a callback that is no address", twilio("sender: Yunshang, status_callback: here"), "channels.yaml:3: 'here' is no address: write https:// and the host"),
    ("a schedule on no date", put(TRIGGER, "{enter: vip}", "{schedule: {at: 09:00, on: [2026-02-30]}}"), f"{TRIGGER}:1: '2026-02-30' is no date: write YYYY-MM-DD"),
    ("a schedule on a date of digits", put(TRIGGER, "{enter: vip}", "{schedule: {at: 09:00, on: ['20260301']}}"), f"{TRIGGER}:1: '20260301' is no date: write YYYY-MM-DD"),
    ("a schedule on dates and days", put(TRIGGER, "{enter: vip}", "{schedule: {at: 09:00, on: [2026-03-01], days: [mon]}}"), f"{TRIGGER}:1: dates and days of the week at once: keep 'on', or 'days'"),
    ("coupons as a list", {"coupons.yaml": "- spring\n"}, "coupons.yaml:1: must be a mapping: write one 'name:' for each pool"),
    ("a pool with a misspelt key", coupons("{expire: 30d}"), "coupons.yaml:1: unknown key 'expire': did you mean 'expires'?"),
    ("a pool that ends in weeks", coupons("{expires: 4w}"), "coupons.yaml:1: '4w' is neither a day nor a number of days: write 2026-12-31, or 30d"),
    ("a pool that ends on no day", coupons("{expires: 2026-02-30}"), "coupons.yaml:1: '2026-02-30' is neither a day nor a number of days"),
    ("a pool with no code for anybody", coupons("{per_customer: 0}"), "coupons.yaml:1: 'per_customer' must be at least 1"),
    ("a pool whose name has a slash", {"coupons.yaml": "a/b: {}\n"}, "coupons.yaml:1: 'a/b' is no name: use no quotes, colons, slashes"),
    ("a pool redeemed by no source", coupons("{redeemed: {source: order, code: status}}"), "coupons.yaml:1: there is no source 'order': did you mean 'orders'?"),
    ("a pool redeemed by no column", coupons("{redeemed: {source: orders, code: stauts}}"), "coupons.yaml:1: 'orders' has no column 'stauts' of text that is not personal: did you mean 'status'?"),
    ("a pool redeemed by a number", coupons("{redeemed: {source: orders, code: amount}}"), "coupons.yaml:1: 'orders' has no column 'amount' of text that is not personal: there are: status"),
    ("a pool that is not there", coupons("{}", action="coupon: sprong"), f"{TRIGGER}:3: there is no pool of coupons 'sprong': did you mean 'spring'?"),
    ("a coupon without a pool", coupons("{}", action="values: {fen: spend}"), f"{TRIGGER}:3: the template says 'coupon', and the action names no pool of coupons: add 'coupon: POOL'"),
    ("a coupon that is not said", coupons("{}", "hi"), f"{TRIGGER}:3: the template does not say the code: write {{{{ coupon }}}} into it, or leave coupon out"),
    ("a coupon's end that it has not", coupons("{}", "{{ coupon }} {{ coupon_expires | date }}"), f"{TRIGGER}:3: the template says 'coupon_expires', and pool 'spring' has no 'expires': add 'expires:' to the pool"),
    ("a coupon's end as a number", coupons("{expires: 30d}", "{{ coupon }} {{ coupon_expires }}"), "channels.yaml:3: 'coupon_expires' is a date or time"),
    ("a value with a coupon's name", coupons("{}", action="coupon: spring, values: {coupon: spend}"), f"{TRIGGER}:3: 'coupon' is the coupon's, and a value of the action too: give the value another name"),
    ("a webhook without encryption", provider("{kind: webhook, url: http://shop.example/, secrets_env: [S]}"), "channels.yaml:3: 'http://shop.example/' is not https: write https://, or add 'plain_http: true'"),
    ("a webhook into its own machine", provider("{kind: webhook, url: https://127.0.0.1/, secrets_env: [S]}"), "channels.yaml:3: 127.0.0.1, which is loopback (RFC 1122): name it under 'allow' if it is meant"),
    ("a webhook without a secret", provider("{kind: webhook, url: https://shop.example/, secrets_env: []}"), "channels.yaml:3: 'providers.0.secrets_env' must not be empty: name at least one"),
    ("an allowed host that is none", provider("{kind: webhook, url: https://shop.example/, secrets_env: [S], allow: [10.0.0.0/99]}"), "channels.yaml:3: '10.0.0.0/99' is no host or network: write one such as 10.1.0.0/16"),
    ("a time-out of no length", provider("{kind: webhook, url: https://shop.example/, secrets_env: [S], timeout: soon}"), "channels.yaml:3: 'soon' is no length: write a whole number and s, m, h, d or w"),
    ("mail from nobody", provider("{kind: email, host: mail.example, from: shop}"), "channels.yaml:3: 'shop' is no e-mail address: write one such as hello@shop.example"),
    ("a robot's text of something else", provider("{kind: wecom, key_env: K, form: '{{ who }}'}"), "channels.yaml:3: 'who' is none of its names: use {{ text }}"),
    ("two providers of one name", {"channels.yaml": "sms:\n  providers: [{kind: console}, {kind: console}]\n"}, "channels.yaml:2: there are two providers 'console': give one another name"),
    ("a limit of no length", {"channels.yaml": "sms:\n  providers: [{kind: console, limits: [{most: 1, within: 5y}]}]\n"}, "channels.yaml:2: '5y' is no length: write a whole number and s, m, h, d or w"),
    ("a template that never closes", text("{{ fen"), "channels.yaml:3: is no template (unexpected end of template, expected 'end of print statement'): write {{ name }}"),
    ("a template that looks inside", text("{{ fen.__class__ }}"), "channels.yaml:3: nothing is looked up inside a value: add a rule to the trigger's 'values'"),
    ("a template of the old form", text("{fen}"), "channels.yaml:3: '{fen}' would be sent as it is: write {{ fen }}"),
    ("full-width braces", text("｛｛fen｝｝"), "channels.yaml:3: '｛｛fen｝｝' would be sent as it is: write {{ fen }}"),
    ("an error in the third line of a template", {"channels.yaml": "sms:\n  templates:\n    hi: |\n      a\n      b\n      {{ fen | mony('CNY') }}\n"}, "channels.yaml:6: there is no filter 'mony': did you mean 'money'?"),
    ("an if that never ends", text("{% if fen > 5 %}much"), "channels.yaml:3: is no template (Unexpected end of template."),
    ("a loop", text("{% for one in fen %}x{% endfor %}"), "channels.yaml:3: there are no loops: a message carries single values"),
    ("a call", text("{{ range(9) }}"), "channels.yaml:3: nothing is called: use a filter"),
    ("arithmetic in a template", text("{{ fen / 100 }}"), "channels.yaml:3: there is no arithmetic: work it out in the trigger's 'values'"),
    ("a template nested without end", text("{{ " + "(" * 5000 + " }}"), "channels.yaml:3: is no template (nested too deep): make it flatter"),
    ("a template of 30,000 characters", text("x" * 30_000), "channels.yaml:3: has 30,000 characters, the limit is 20,000: write a shorter text"),
    ("an address of short links with a path", put("tintype.toml", "[groups]", '[links]\nbase = "https://shop.example/s"\n\n[groups]'), "tintype.toml:5: 'https://shop.example/s' is no public address: write https://HOST"),
    ("a link that has no template", text("{{ link }}"), f"{TRIGGER}:3: the template needs the value 'link': add 'values: {{link: RULE}}'"),
    ("a value that is called as the link", put(TRIGGER, "fen: spend", "link: spend") | {"channels.yaml": 'sms:\n  templates:\n    hi: {text: "{{ link }}", link: "https://shop.example"}\n'}, f"{TRIGGER}:3: 'link' is the template's own link: give the value another name"),
    ("an argument that is none", text("{{ fen | number(9) }}"), "channels.yaml:3: 'decimals' of 'number' is no whole number from 0 to 6: write a number from 0 to 6"),
    ("money of no currency", text("{{ fen | money }}"), "channels.yaml:3: the shop has no currency: add 'currency' to tintype.toml"),
    ("money of another currency", text("{{ fen | money('USD') }}"), "channels.yaml:3: this is an amount in CNY, and would be written as USD: write money('CNY')"),
    ("a filter of another type", text("{{ fen | date }}"), "channels.yaml:3: 'date' takes a date or time, and this is a whole number: filters that take it: money, number"),
    ("a date sent as a number", text("{{ fen }}") | {ORDERS: GOOD[ORDERS] + "  paid_at: {type: time}\n"} | put(TRIGGER, "fen: spend", "fen: last(orders.paid_at)"), "channels.yaml:3: 'fen' is a date or time, and would be sent as a number: write {{ fen | date }}, or time, or datetime"),
    ("a number compared with a text", text("{% if fen == 'a' %}x{% endif %}"), "channels.yaml:3: a whole number is compared with a text: compare texts with texts"),
    ("a template without the shop's language", {"channels.yaml": "sms:\n  templates:\n    hi: {zh: x}\n"}, "channels.yaml:3: there is no text in 'en', the shop's language: add 'en:'"),
    ("a template in French", {"channels.yaml": "sms:\n  templates:\n    hi: {en: x, fr: y}\n"}, "channels.yaml:3: 'fr' is no language: there are: en, zh"),
    ("a template without a text", {"channels.yaml": "sms:\n  templates:\n    hi: {title: x}\n"}, "channels.yaml:3: key 'text' is missing: add 'text:'"),
    ("a misspelt part of a template", {"channels.yaml": "sms:\n  templates:\n    hi: {en: {text: x, titel: y}}\n"}, "channels.yaml:3: unknown key 'titel': did you mean 'title'?"),
    ("a template of a number", {"channels.yaml": "sms:\n  templates:\n    hi: 5\n"}, "channels.yaml:3: 'templates.hi' must be text: put it in quotes"),
    ("an empty template", {"channels.yaml": "sms:\n  templates:\n    hi: ' '\n"}, "channels.yaml:3: an empty text: write what is to be sent"),
    ("a link that a value chooses", {"channels.yaml": "sms:\n  templates:\n    hi: {text: x, link: '{{ fen }}'}\n"}, "channels.yaml:3: '{{ fen }}' is no link: begin with https://"),
    ("channels of a list", {"channels.yaml": "- sms\n"}, "channels.yaml:1: must be a mapping: write one 'name:' for each channel"),
    ("a start in words", put(LINE, "2026-03-01 09:00", "yesterday"), f"{LINE}:1: 'yesterday' is no time: write one such as 2026-03-01 09:00"),
    ("a start in 1800", put(LINE, "2026-03-01 09:00", "1800-01-01"), f"{LINE}:1: '1800-01-01' is outside 1970 to 2200: write another year"),
    ("a column that is not there", put(LINE, "amount: 9.99", "amout: 9"), f"{LINE}:8: 'amout' is no column of a file of 'orders': did you mean 'amount'?"),
    ("a cell of a list", put(LINE, "amount: 9.99", "amount: [1]"), f"{LINE}:8: 'cases.0.steps.0.insert.orders.0.amount' must be text"),
    ("no cases", put(LINE, "cases:", "csaes:"), f"{LINE}:3: unknown key 'csaes': did you mean 'cases'?"),
    ("nobody is meant", put(LINE, "customer: member:M1\n", ""), f"{LINE}:5: no customer is named: add 'customer: type:value'"),
    ("a customer without a type", put(LINE, "member:M1", "M1"), f"{LINE}:6: 'M1' names no customer: write type:value, such as member:M1"),
    # recommendations.yaml
    ("recommendations of no slot", slots("slots: {}"), f"{SLOTS}:2: 'slots' must not be empty: name at least one"),
    ("recommendations of no interest", {SLOTS: "interests: []\nslots: {home: {}}\n"}, f"{SLOTS}:1: 'interests' must not be empty: name at least one"),
    ("a misspelt key of a slot", slots("slots: {home: {strategy: [popular]}}"), f"{SLOTS}:2: unknown key 'strategy': did you mean 'strategies'?"),
    ("an interest in a source that is not there", interest("source: order, item: status"), f"{SLOTS}:1: there is no source 'order': did you mean 'orders'?"),
    ("an interest in no column", interest("source: orders, item: sku"), f"{SLOTS}:1: source 'orders' has no column 'sku'"),
    ("items that are money", interest("source: orders, item: amount"), f"{SLOTS}:1: column 'amount' is of type decimal: an item's id is a text or a whole number"),
    ("an interest that nobody shows", interest("source: orders, item: status, act: stolen"), f"{SLOTS}:1: 'stolen' is no "),
    ("an interest of weight 0", interest("source: orders, item: status, weight: 0"), f"{SLOTS}:1: 'interests.0.weight' must be at least 1: correct the value"),
    ("a half-life in words", interest("source: orders, item: status, half_life: long"), f"{SLOTS}:1: 'long' is no length: write a whole number and m, h, d or w"),
    ("a rule of interest that adds", interest("source: orders, item: status, where: amount + 1 > 5"), f"{SLOTS}:1: column 1: arithmetic is not read here: compare the columns themselves"),
    ("a rule of interest over metrics", interest("source: orders, item: status, where: spend > 5"), f"{SLOTS}:1: column 1: "),
    ("a strategy nobody has", slots("slots: {home: {strategies: [best]}}"), f"{SLOTS}:2: 'best' is no strategy: write one of similar, again, popular"),
    ("popular in a tag that is not there", slots("slots: {home: {strategies: [popular in tag vipp]}}"), f"{SLOTS}:2: there is no tag 'vipp': did you mean 'vip'?"),
    ("popular in a segment that is not there", slots("slots: {home: {strategies: [popular in segment Bset]}}"), f"{SLOTS}:2: there is no segment 'Bset': did you mean 'Best'?"),
    ("a slot of 51 items", slots("slots: {home: {count: 51}}"), f"{SLOTS}:2: 'slots.home.count' must be at most 50: correct the value"),
    ("a slot with a slash", slots("slots: {a/b: {}}"), f"{SLOTS}:2: 'a/b' is no name: use no slashes"),
    ("a slot's title in French", slots("slots: {home: {title: {fr: x}}}"), f"{SLOTS}:2: "),
    ("a consent without a purpose", slots("slots: {home: {personalised: {consent: web}}}"), f"{SLOTS}:2: 'web' is no consent: write channel/purpose"),
    ("a tag that refuses and is not there", slots("slots: {home: {personalised: {unless_tag: vipp}}}"), f"{SLOTS}:2: there is no tag 'vipp': did you mean 'vip'?"),
    ("stock that nobody knows", slots("slots: {home: {rules: {in_stock: true}}}"), f"{SLOTS}:2: 'in_stock' needs the catalogue's stock: add 'stock: COLUMN' to the catalogue"),
    ("categories that nobody knows", slots("slots: {home: {rules: {max_per_category: 2}}}"), f"{SLOTS}:2: 'max_per_category' needs the catalogue's category"),
    ("a slot of what was not bought lately", slots("slots: {home: {rules: {not_bought_within: lately}}}"), f"{SLOTS}:2: 'lately' is no length: write a whole number and m, h, d or w"),
    ("a catalogue of nothing", slots("catalogue: {item: status}\nslots: {home: {}}"), f"{SLOTS}:2: the catalogue has no one place: give one of source and file"),
    ("a catalogue in a file that is not there", slots("catalogue: {file: items.csv, item: sku}\nslots: {home: {}}"), f"{SLOTS}:2: there is no file 'items.csv': name one, from the shop's folder"),
    ("a catalogue of columns that are not there", slots("catalogue: {source: orders, item: status, title: {zh: name}}\nslots: {home: {}}"), f"{SLOTS}:2: source 'orders' has no column 'name'"),
    ("training in words", slots("train_every: often\nslots: {home: {}}"), f"{SLOTS}:2: 'often' is no length: write a whole number and m, h, d or w"),
    ("recommendations without history", slots("slots: {home: {}}") | {TOML: "history = false\n" + GOOD[TOML]}, f"{SLOTS}:1: recommendations are trained from history, which is off"),
    # guards
    ("quiet hours from 25 o'clock", guards('quiet_hours = {from = "25:00", until = "08:00"}'), f"{TOML}:4: '25:00' is no time of day: write HH:MM"),
    ("quiet hours of no length", guards('quiet_hours = {from = "08:00", until = "08:00"}'), f"{TOML}:4: quiet hours end when they begin: write another time"),
    ("a goal of a source that is not there", put(TRIGGER, "when:", "goal: {source: order, within: 7d}\nwhen:"), f"{TRIGGER}:1: there is no source 'order': did you mean 'orders'?"),
    ("a goal of no length", put(TRIGGER, "when:", "goal: {source: orders, within: soon}\nwhen:"), f"{TRIGGER}:1: 'soon' is no length"),
    ("a goal whose rows cannot be told", put(TRIGGER, "when:", "goal: {source: orders, within: 7d, where: amount * 2 > 1}\nwhen:"), f"{TRIGGER}:1: column 1: arithmetic is not read here"),
    ("a goal that is worth a text", put(TRIGGER, "when:", "goal: {source: orders, within: 7d, value: status}\nwhen:"), f"{TRIGGER}:1: column 'status' is of type text: name one of int or decimal"),
    ("a goal that is worth nothing", put(TRIGGER, "when:", "goal: {source: orders, within: 7d, value: amout}\nwhen:"), f"{TRIGGER}:1: source 'orders' has no column 'amout': did you mean 'amount'?"),
    ("a goal without history", put(TRIGGER, "when:", "goal: {source: orders, within: 7d}\nwhen:") | {TOML: "history = false\n" + GOOD[TOML]}, f"{TRIGGER}:1: goals are counted in history, which is off"),
    ("a forecast over a month", put(TRIGGER, "cool_down: 30d", "forecast: {most: 9, within: 30d}"), f"{TRIGGER}:2: '30d' is longer than a week: write 7d, or a shorter length"),
    ("a forecast of no length", put(TRIGGER, "cool_down: 30d", "forecast: {most: 9, within: soon}"), f"{TRIGGER}:2: 'soon' is no length"),
    ("a forecast of nothing", put(TRIGGER, "cool_down: 30d", "forecast: {most: 0, within: 1h}"), f"{TRIGGER}:2: "),
    ("a pace over a month", put(TRIGGER, "action: {", "action: {pace: {most: 9, within: 30d}, "), f"{TRIGGER}:3: '30d' is longer than a week: write 7d, or a shorter length"),
    ("a pace of no length", put(TRIGGER, "action: {", "action: {pace: {most: 9, within: 1s}, "), f"{TRIGGER}:3: '1s' is no length"),
    ("a pace without a length", put(TRIGGER, "action: {", "action: {pace: {most: 9}, "), f"{TRIGGER}:3: "),
    ("a pace of nothing", put(TRIGGER, "action: {", "action: {pace: {most: 0, within: 1h}, "), f"{TRIGGER}:3: "),
    ("a pace in words", put(TRIGGER, "action: {", "action: {pace: 600/1m, "), f"{TRIGGER}:3: "),
    ("a status that there is not", put(TRIGGER, "when:", "status: asleep\nwhen:"), f"{TRIGGER}:1: "),
    ("a trigger's quiet hours in words", put(TRIGGER, "cool_down: 30d", "quiet_hours: {from: late, until: 08:00}"), f"{TRIGGER}:2: 'late' is no time of day: write HH:MM"),
    ("everybody held out", guards("hold_out = 100"), f"{TOML}:4: 'guards.hold_out' must be at most 99: correct the value"),
    ("a cap of no length", guards('caps = {day = {most = 1, within = "a day"}}'), f"{TOML}:4: 'a day' is no length: write a whole number and m, h, d or w"),
    ("a cap of nobody's channel", guards('caps = {day = {most = 1, within = "1d", channels = ["fax"]}}'), f"{TOML}:4: there is no channel 'fax': there are: sms"),
    ("a cap of nobody's trigger", guards('caps = {day = {most = 1, within = "1d", triggers = ["helo"]}}'), f"{TOML}:4: there is no trigger 'helo': did you mean 'hello'?"),
    ("a customer's zone that is no zone", guards('zone = "customer.zone"\nzones = ["Mars"]'), f"{TOML}:5: 'Mars' is no time zone: write a name such as Asia/Shanghai"),
    ("a customer's zone that nobody has", guards('zone = "customer.zone"\nzones = ["UTC"]'), f"{TOML}:4: there is no attribute 'zone' of text that is not personal"),
    ("a customer's zone without zones", guards('zone = "customer.zone"'), f"{TOML}:4: zone and zones go together"),
    ("a condition that reads the row at the end of a hold", {TRIGGER: HOLDING}, f"{TRIGGER}:2: column 1: 'if' reads the row, and is asked again when quiet hours end: put what the row must be into 'where'"),
    ("a condition that waits and reads the row", {TRIGGER: HOLDING.replace("guards: {quiet_hours: {from: 22:00, until: 08:00}}", "for: 5m")}, f"{TRIGGER}:2: column 1: "),
    # tintype.toml
    ("text without quotes", put(TOML, '"Test"', "Test"), f"{TOML}:1: is no TOML (Invalid value): text stands in quotes"),
    ("a TOML key twice", put(TOML, 'name = "Test"', 'name = "a"\nname = "b"'), f"{TOML}:2: is no TOML (Cannot overwrite a value)"),
    ("a TOML quote that never closes", put(TOML, '"Test"', '"Test'), f"{TOML}:1: is no TOML"),
    ("TOML nested without end", {TOML: "a = " + "[" * 5000}, f"{TOML}:1: nested too deeply: flatten it"),
    ("a TOML number of 5,000 digits", {TOML: "partitions = " + "9" * 5000}, f"{TOML}:1: is no TOML"),
    ("TOML in UTF-16", {TOML: GOOD[TOML].encode("utf-16")}, f"{TOML}:1: is not UTF-8: save the file as UTF-8"),
    ("an empty tintype.toml", {TOML: ""}, f"{TOML}:1: key 'name' is missing: add 'name:'"),
    ("a name of 5", put(TOML, '"Test"', "5"), f"{TOML}:1: 'name' must be text: put it in quotes"),
    ("no name", put(TOML, '"Test"', '" "'), f"{TOML}:1: ' ' is no name: write the shop's name"),
    ("a name in braces", put(TOML, '"Test"', '"{x}"'), f"{TOML}:1: '{{x}}' is no name: write the shop's name, without braces"),
    ("a misspelt setting", put(TOML, "name", "nmae"), f"{TOML}:1: unknown key 'nmae'"),
    ("no partition", put(TOML, "name", "partitions = 0\nname"), f"{TOML}:1: 'partitions' must be at least 1: correct the value"),
    ("257 partitions", put(TOML, "name", "partitions = 257\nname"), f"{TOML}:1: 'partitions' must be at most 256: correct the value"),
    ("a language that is not spoken", put(TOML, "name", 'language = "fr"\nname'), f"{TOML}:1: 'fr' is no language: write en or zh"),
    ("an offset for a zone", put(TOML, "Asia/Shanghai", "+08:00"), f"{TOML}:2: '+08:00' is no time zone: write a name such as Asia/Shanghai"),
    ("a group of one", put(TOML, '["vip", "普通"]', '["vip"]'), f"{TOML}:5: group 'value' has fewer than two tags"),
    ("a tag twice in a group", put(TOML, '["vip", "普通"]', '["vip", "vip", "普通"]'), f"{TOML}:5: tag 'vip' is in 'value' already: a tag has one group, once"),
    ("a reference that no source has", put(TOML, "name", 'identity_priority = ["x"]\nname'), f"{TOML}:1: no source has a reference of type 'x': there are: member"),
]  # fmt: skip
