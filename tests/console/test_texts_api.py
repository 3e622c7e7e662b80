"""Over HTTP: how a template, or one that is being written, reads for real customers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.at_work import AtWork, at_work, order

HI = {"channel": "sms", "template": "hi"}
CHANNELS = "sms:\n  address: phone\n  templates:\n    hi: 'you spent {{ fen }}'\n    unused: hello\n"
ORDERS = """\
key: [order_id]
references:
  - {type: member, column: member_id}
  - {type: phone, column: phone}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: CNY}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    files: dict[str, str | None] = {"channels.yaml": CHANNELS, "sources/orders.yaml": ORDERS}
    folder: Path = tmp_path_factory.mktemp("texts")
    with at_work(folder / "little", files) as found:
        found.send("orders", order("A1", "M1", "60.00", phone="13800000001"), order("A2", "M2", "7.00"))
        yield found


def read(shop: AtWork, **asked: Any) -> httpx.Response:
    return shop.client.post("/v1/texts:preview", json={**HI, **asked})


def test_a_template_reads_as_it_would_be_sent(shop: AtWork) -> None:
    texts = read(shop).json()["texts"]
    assert {one["reference"]: (one["text"], one["held_back"]) for one in texts} == {
        "member:M1": ("you spent 6000", None),
        "member:M2": (None, "the customer has no phone, or is erased"),
    }  # fmt: skip
    (one,) = read(shop, customers=["phone:13800000001"]).json()["texts"]
    assert (one["encoding"], one["units"], one["parts"], one["cost"]) == ("GSM 7-bit", 14, 1, None)
    assert one["trigger"] == "hello"


def test_what_is_being_written_reads_in_the_language_asked_for(shop: AtWork) -> None:
    words = {"zh": "您消费 {{ fen | number(2) }} 元", "en": "{{ fen | number(2) }} yuan"}
    for language, text in (("zh", "您消费 60.00 元"), ("en", "60.00 yuan")):
        (one,) = read(shop, customers=["member:M1"], words=words, language=language).json()["texts"]
        assert (one["text"], one["language"]) == (text, language)
    (one,) = read(shop, customers=["member:M1"], words="{{ name }}").json()["texts"]
    assert one["held_back"] == "'name' is not known of this customer"
    assert read(shop, customers=["member:M1"]).json()["texts"][0]["text"] == "you spent 6000"


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"words": "{{ fen | monny }}"}, 422, "monny"), ({"template": "ho"}, 422, "has no template 'ho'"),
        ({"template": "unused"}, 422, "no trigger sends it"), ({"language": "zh"}, 422, "has no 'zh'"),
        ({"customers": ["member:M9"]}, 404, "nobody is known by member:M9"),
        ({"customers": ["member:M1"] * 101}, 422, "customers"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(shop: AtWork, asked: dict[str, Any], status: int, told: str) -> None:
    answer = read(shop, **asked)
    assert answer.status_code == status
    assert told in answer.text


def test_texts_are_personal(shop: AtWork) -> None:
    for scope in ("read", "write"):
        headers = {"Authorization": f"Bearer {shop.keys[scope]}"}
        answer = shop.client.post("/v1/texts:preview", json=HI, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
