"""Plain pandas: one table for each source, and every minute everything of everybody anew.

``python with_pandas.py FOLDER``; prints one JSON object, like the others. Changes are decoded by msgspec. The
20 metrics and tags are written out; the sticky tag takes its memory from minute to minute; triggers are left
out, in its favour.
"""

# Its neighbours are found by the path of their folder, which mypy does not see:
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

FOLDER = Path(sys.argv[1])
sys.path[:0] = [str(Path(__file__).parent)]

from bench_customer import FREQUENCY, MINUTE_US, MONETARY, RECENCY, STICKY  # noqa: E402 - found by the above
from decode import COLUMNS, change_of  # noqa: E402

DAY = 1440
HEAD = ["member", "key", "us", "op"]
Tables = dict[str, pd.DataFrame]
SEEN: set[str] = set()  # members; one stays known when all of its rows are deleted


def main() -> None:
    """Run the stream, print the figure, write the answers."""
    about = json.loads((FOLDER / "about.json").read_text())
    with (FOLDER / "history.jsonl").open("rb") as lines:
        tables = _tables(list(lines))
    minutes: dict[int, list[bytes]] = {}
    for line in (FOLDER / "live.jsonl").read_bytes().splitlines():
        minutes.setdefault(change_of(line)[1][0], []).append(line)
    held = pd.DataFrame({"truth": False, "held": False, "until": 0}, index=pd.Index([]))
    _, held = _judged(_metrics(tables, about["live_from"] - 1), about["live_from"] - 1, held)
    spent = []
    for minute, messages in sorted(minutes.items()):
        began = time.process_time()
        _, held = _judged(_metrics(tables, minute), minute, held)  # what leaves at the opening
        tables = _changed(tables, messages)
        _, held = _judged(_metrics(tables, minute), minute, held)
        spent.append((time.process_time() - began) / len(messages) * 1e6)
    _write(*_judged(_metrics(tables, about["until"]), about["until"], held))
    print(json.dumps({"us": sum(spent) / len(spent), "effects": 0}))


def _tables(messages: list[bytes]) -> Tables:
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
    for message in messages:
        member, (_, op, table, key, _, us, columns) = change_of(message)
        rows[table].append((member, key, us, op, *columns))
        SEEN.add(member)
    return {name: pd.DataFrame(rows[name], columns=[*HEAD, *COLUMNS[name]]) for name in COLUMNS}


def _changed(tables: Tables, messages: list[bytes]) -> Tables:
    new = _tables(messages)
    changed = {}
    for name, table in tables.items():
        last = new[name].drop_duplicates("key", keep="last")
        kept = table[~table["key"].isin(last["key"])]
        changed[name] = pd.concat([kept, last[last["op"] != "d"]])
    return changed


def _metrics(tables: Tables, now: int) -> pd.DataFrame:
    """Return the 17 declared metrics and what RFM and the tags need, by member."""
    ages = {name: now - table["us"] // MINUTE_US for name, table in tables.items()}
    everybody = pd.Index(sorted(SEEN))
    found = pd.DataFrame(index=everybody)

    def within(name: str, days: float, offset: int = 0, kept: bool | None = None) -> Any:
        mask = (ages[name] >= offset * DAY) & (ages[name] < offset * DAY + days * DAY)
        if kept is not None:
            mask &= (tables[name]["status"] != "cancelled") == kept
        return tables[name][mask].groupby("member")

    def whole(series: pd.Series[Any]) -> pd.Series[Any]:
        return series.reindex(everybody).fillna(0).astype("int64")

    month, year = within("orders", 30, kept=True), within("orders", 365, kept=True)
    ordered = tables["orders"].assign(age=ages["orders"])
    ordered = ordered[(ordered["age"] < 365 * DAY) & (ordered["status"] != "cancelled")]
    ordered = ordered.sort_values(["us", "key"])
    found["orders_30d"] = whole(month.size())
    found["orders_365d"] = whole(year.size())
    found["paid_30d"] = whole(month["amount"].sum())
    found["paid_365d"] = whole(year["amount"].sum())
    found["largest"] = year["amount"].max()
    found["first"] = ordered.groupby("member")["category"].first()
    found["last"] = ordered.groupby("member")["category"].last()
    found["categories"] = whole(within("orders", 90, kept=True)["category"].nunique())
    found["cancelled"] = whole(within("orders", 30, kept=False).size())
    found["before"] = whole(within("orders", 30, offset=30).size())
    found["refunded"] = whole(within("refunds", 365)["amount"].sum())
    found["views_10m"] = whole(within("views", 10 / DAY).size())
    found["views_90d"] = whole(within("views", 90).size())
    found["seconds"] = whole(within("views", 1)["seconds"].sum())
    found["seen"] = whole(within("views", 7)["category"].nunique())
    found["worst"] = within("tickets", 90)["score"].min()
    found["recency"] = now - ordered.groupby("member")["us"].last() // MINUTE_US
    return found


def _judged(m: pd.DataFrame, now: int, held: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the metrics with their tags, and what the sticky tag remembers."""
    known = m["recency"].notna()
    r = (5 - sum((m["recency"] > cut).astype(int) for cut in RECENCY)).where(known, 0)
    f = (1 + sum((m["orders_365d"] > cut).astype(int) for cut in FREQUENCY)).where(known, 0)
    money = m["paid_365d"] - m["refunded"]
    score = (1 + sum((money > cut).astype(int) for cut in MONETARY)).where(known, 0)
    was = held.reindex(m.index).fillna({"truth": False, "held": False, "until": 0})
    truth, until = m["views_10m"] >= 3, was["until"].astype("int64")
    a10 = (was["held"].astype(bool) & ~((until > 0) & (until <= now))) | truth
    ended = ~truth & was["truth"].astype(bool) & a10
    until = until.where(~ended, now + STICKY).where(~truth, 0)
    a01 = m["paid_365d"] >= 200_000
    a02 = ~a01 & (m["orders_30d"] >= 2)
    a03 = ~a01 & ~a02 & (m["orders_365d"] > 0)
    a14 = m["worst"] <= 2
    tags = [
        a01, a02, a03, (m["paid_365d"] >= 9_000 * m["orders_365d"]) & (m["orders_365d"] >= 3),
        m["largest"] >= 15_000, m["categories"] >= 4, m["cancelled"] >= 2, m["orders_30d"] < m["before"],
        m["refunded"] * 4 > m["paid_365d"], a10, (m["views_90d"] >= 20) & (m["orders_30d"] == 0),
        m["seconds"] >= 600, m["seen"] >= 3, a14, (m["last"] == "c03") & (m["first"] != "c03"), (r >= 4) & (f
        >= 4), (r >= 4) & (f >= 4) & (score >= 4), a01 & a14, a10 & ~a03, ((m["paid_30d"] >= 30_000) &
        (m["orders_30d"] >= 1)) | ((m["paid_30d"] < 30_000) & (m["views_10m"] >= 5)),
    ]  # fmt: skip
    bits = sum(tag.astype("int64") * (1 << place) for place, tag in enumerate(tags))
    return m.assign(tags=bits), pd.DataFrame({"truth": truth, "held": a10, "until": until})


def _write(metrics: pd.DataFrame, _: pd.DataFrame) -> None:
    plain = metrics.astype(object).where(metrics.notna(), None)
    with (FOLDER / "answers-pandas.jsonl").open("w") as file:
        for member, row in zip(plain.index, plain.to_dict("records"), strict=True):
            count = row["orders_365d"]
            values = [
                row["orders_30d"], count, row["paid_30d"], row["paid_365d"],
                f"{row['paid_365d']}/{count}" if count else None, _whole(row["largest"]), row["first"],
                row["last"], row["categories"], row["cancelled"], row["before"], row["refunded"],
                row["views_10m"], row["views_90d"], row["seconds"], row["seen"], _whole(row["worst"]),
            ]  # fmt: skip
            file.write(json.dumps([member, values, row["tags"]]) + "\n")


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


if __name__ == "__main__":
    main()
