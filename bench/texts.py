"""``python -m bench.texts``: texts written a second on one core, compiled once, and what compiling costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from sinks.channels.message import Value
from sinks.texts.escape import EscapeName
from sinks.texts.template import compile_text
from sinks.texts.texts import Texts

TEXTS, PASSES = 20_000, 5
AT = 29_540_000  # 2026-03-01 21:20 UTC
WORDS = "您好 {{ name }}，您常逛的 {{ category }} 上新了，回来看看？"
CASES: dict[str, tuple[str, EscapeName]] = {
    "no values": ("感谢您一直以来的支持，祝您购物愉快，欢迎再来。", "plain"),
    "two values": (WORDS, "plain"),
    "two values, SMS": (WORDS, "sms"),
    "two values, robot": (WORDS, "robot"),
    "default, truncate, if": (
        "{% if n > 2 %}{{ name | default('您好') }}{% endif %}{{ category | truncate(3) }}", "plain",
    ),
    "money": (WORDS + "{{ fen | money }}", "plain"),
    "number": (WORDS + "{{ fen | number(2) }}", "plain"),
    "date": (WORDS + "{{ at | date }}", "plain"),
    "datetime": (WORDS + "{{ at | datetime }}", "plain"),
    "money, number, date, datetime": (
        WORDS + "{{ fen | money }}{{ fen | number }}{{ at | date }}{{ at | datetime }}", "plain",
    ),
}  # fmt: skip


def main() -> None:
    """Print a line for each kind of text; process time, so that others on the machine count little."""
    texts = Texts("zh", "Asia/Shanghai", "CNY")
    names = ("李雷", "韩梅梅", "王小明")
    kinds = ("运动鞋", "手机", "图书与文具")
    values: list[dict[str, Value]] = [
        {
            "name": names[one % 3], "category": kinds[one % 3], "fen": 553_300 + one, "n": one % 9,
            "at": AT + one,
        }
        for one in range(TEXTS)
    ]  # fmt: skip
    print(f"{'texts a second':>14}  {'us a text':>9}")
    for name, (source, escape) in CASES.items():

        def write(source: str = source, escape: EscapeName = escape) -> None:
            for one in values:
                texts.write(source, one, escape)

        write()
        seconds = median(_process_seconds(write) for _ in range(PASSES))
        print(f"{TEXTS / seconds:14,.0f}  {seconds / TEXTS * 1e6:9.1f}  {name}")
    source = CASES["money, number, date, datetime"][0]
    sources = [source + str(one) for one in range(500)]
    seconds = _process_seconds(lambda: [compile_text(one) for one in sources])
    each = seconds / len(sources)
    print(f"{1 / each:14,.0f}  {each * 1e6:9.1f}  compiling the last, once for each template")


def _process_seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


if __name__ == "__main__":
    main()
