"""What docs/channels shows of a shop's files passes the product's own check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.load import load_shop
from tests.app.little_shop import GOOD, write_shop

PAGES = sorted((Path(__file__).parents[2] / "docs" / "channels").glob("*.md"))
FILE = re.compile(r"^# (\S+\.yaml)$", re.MULTILINE)


def shown(page: Path) -> Iterator[dict[str, str]]:
    """Yield the files that each block of a page shows; a block that names none is of channels.yaml."""
    for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL):
        first, *named = FILE.split(block)
        files = dict(zip(named[::2], named[1::2], strict=True))
        if first.strip():
            files["channels.yaml"] = first
        yield files


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_channel_and_pool_that_a_page_shows_passes_the_check(page: Path, tmp_path: Path) -> None:
    for number, files in enumerate(shown(page)):
        channels = "own:\n  templates:\n    hi: 'you spent {{ fen }}'\n" + files.get("channels.yaml", "")
        shop = load_shop(write_shop(tmp_path / str(number), {
            "channels.yaml": channels, "coupons.yaml": files.get("coupons.yaml", ""),
            "tintype.toml": 'currency = "CNY"\n' + GOOD["tintype.toml"] + '\n[links]\nbase = "https://s.shop.example"\n',
            "triggers/hello.yaml": GOOD["triggers/hello.yaml"].replace("channel: sms", "channel: own"),
            "sources/orders.yaml": GOOD["sources/orders.yaml"] + "  coupon_code: {type: text}\n",
        }))  # fmt: skip
        assert "own" in shop.channels


def test_the_pages_show_every_kind_that_they_are_about() -> None:
    text = "".join(files.get("channels.yaml", "") for page in PAGES for files in shown(page))
    kinds = set(re.findall(r"kind: (\w+)", text))
    assert kinds == {"aliyun", "tencent", "smpp", "email", "wecom", "dingtalk", "webhook", "inbox"}
