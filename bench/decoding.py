"""Decoding change messages: our decoders against msgspec's own reading of the same bytes, in one run.

``python -m bench.decoding [--json]`` prints microseconds a message and the ratio to the floor: msgspec with
a typed struct that keeps every declared column and the source's position. ``untyped`` is msgspec to dicts.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec

from streams.cdc.open import open_decoder
from streams.cdc.positions import SourceBlock
from streams.cdc.reading import digits
from streams.contract.source import Source

MESSAGES, PASSES, SEED = 20_000, 5, 20260301
COLUMNS = ("id", "member", "phone", "amount", "items", "status", "city", "created_at")


def main() -> None:
    """Print one line for each kind of stream."""
    parser = argparse.ArgumentParser(description="Decoding change messages against msgspec alone.")
    parser.add_argument("--json", action="store_true", help="print a list of measurements")
    as_json = parser.parse_args().json
    figures = [_measure(name, form, stream) for name, form, stream in _streams()]
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{'us a message':28}{'bytes':>7}{'msgspec':>9}{'untyped':>9}{'decoder':>9}{'ratio':>7}")
    for figure in figures:
        print(
            f"{figure['what']:28}{figure['bytes']:7.0f}{figure['against']:9.2f}{figure['untyped']:9.2f}"
            f"{figure['value']:9.2f}{figure['ratio']:7.2f}"
        )


def _source(form: str) -> Source:
    return Source.model_validate(
        {
            "name": "orders", "format": {"type": form}, "key": ["id"],
            "references": [{"type": "member", "column": "member"}, {"type": "phone", "column": "phone"}],
            "event_time": {"column": "created_at"},
            "columns": {
                "amount": {"type": "decimal", "scale": 2}, "items": {"type": "int"},
                "status": {"type": "text"}, "city": {"type": "text"},
            },
        }
    )  # fmt: skip


def _rows() -> list[dict[str, Any]]:
    chance = random.Random(SEED)
    return [
        {
            "id": 1_000_000 + number, "member": f"M{chance.randrange(100_000)}", "phone": "13800000000",
            "amount": f"{chance.randrange(100, 99_999)}.{chance.randrange(10, 100)}",
            "items": chance.randrange(1, 9), "status": chance.choice(["paid", "new", "cancelled"]),
            "city": chance.choice(["上海", "北京", "广州"]),
            "created_at": f"2026-03-01T0{chance.randrange(10)}:15:00Z",
        }
        for number in range(MESSAGES)
    ]  # fmt: skip


def _streams() -> list[tuple[str, str, list[bytes]]]:
    rows = _rows()
    fields = [{"type": "string", "optional": True, "field": name} for name in COLUMNS]
    fields[0]["type"], fields[4]["type"] = "int64", "int32"
    after = {"type": "struct", "fields": fields, "optional": True, "field": "after"}
    operation = {"type": "string", "optional": False, "field": "op"}
    schema = {"type": "struct", "fields": [{**after, "field": "before"}, after, operation]}
    enveloped = [_envelope(number, row) for number, row in enumerate(rows)]
    flat = [{**row, "__op": "u", "__lsn": 24_023_128 + number} for number, row in enumerate(rows)]
    streams: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("debezium, envelope", "debezium", enveloped),
        ("debezium, with schema", "debezium", [{"schema": schema, "payload": one} for one in enveloped]),
        ("debezium, flattened", "debezium", flat),
        ("canal, one row", "canal", [_canal(row) for row in rows]),
        ("maxwell", "maxwell", [_maxwell(row) for row in rows]),
    ]
    return [
        (name, form, [msgspec.json.encode(message) for message in stream]) for name, form, stream in streams
    ]


def _envelope(number: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "before": None, "after": row,
        "source": {
            "version": "3.7.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": 1_772_352_000_000,
            "snapshot": "false", "db": "shop", "sequence": '["24023119","24023128"]', "schema": "public",
            "table": "orders", "txId": 555, "lsn": 24_023_128 + number, "xmin": None,
        },
        "op": "c", "ts_ms": 1_772_352_000_123, "transaction": None,
    }  # fmt: skip


def _canal(row: dict[str, Any]) -> dict[str, Any]:
    types = {"id": "bigint", "amount": "decimal(12,2)", "items": "int", "created_at": "varchar(32)"}
    return {
        "data": [{name: str(value) for name, value in row.items()}], "database": "shop",
        "es": 1_772_352_000_000, "id": 5, "isDdl": False, "mysqlType": types, "old": None, "pkNames": ["id"],
        "sql": "", "table": "orders", "ts": 1_772_352_000_123, "type": "INSERT",
    }  # fmt: skip


def _maxwell(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "database": "shop", "table": "orders", "type": "insert", "ts": 1_772_352_000, "xid": 5,
        "commit": True, "data": row,
    }  # fmt: skip


def _measure(name: str, form: str, stream: list[bytes]) -> dict[str, Any]:
    decoder = open_decoder(_source(form))
    floor = _floor(form, stream[0])
    untyped = msgspec.json.Decoder().decode
    own = _microseconds(lambda message: decoder.decode(None, message), stream)
    against = _microseconds(floor, stream)
    return {
        "what": name, "value": own, "unit": "us/message", "against": against, "ratio": against / own,
        "untyped": _microseconds(untyped, stream),
        "bytes": sum(map(len, stream)) / len(stream),
    }  # fmt: skip


def _floor(form: str, message: bytes) -> Callable[[bytes], Any]:
    """Return msgspec's decoder of the same columns, typed."""
    fields: list[Any] = [(name, Any, None) for name in COLUMNS]
    row = msgspec.defstruct("Row", fields, gc=False)
    outer: Any
    if form == "canal":
        outer = msgspec.defstruct("Canal", [("type", str), ("table", str), ("data", list[row])], gc=False)  # type: ignore[valid-type]  # made at run time
    elif form == "maxwell":
        outer = msgspec.defstruct("Maxwell", [("type", str), ("table", str), ("data", row)], gc=False)
    elif b'"after"' in message:
        rows: list[Any] = [("after", row | None), ("before", row | None)]
        parts: list[Any] = [("op", str), *rows, ("source", SourceBlock)]
        outer = msgspec.defstruct("Envelope", parts, gc=False)
        if message.startswith(b'{"schema"'):
            outer = msgspec.defstruct("Wrapped", [("payload", outer)], gc=False)
    else:
        metadata: list[Any] = [("op", str, None), ("lsn", int, None)]
        rename = {"op": "__op", "lsn": "__lsn"}
        outer = msgspec.defstruct("Flat", [*fields, *metadata], rename=rename, gc=False)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(outer, float_hook=digits).decode
    return decode


def _microseconds(decode: Callable[[bytes], Any], stream: list[bytes]) -> float:
    """Return the median over passes of process time for each message, in microseconds.

    Nothing is kept: the collector's work for thousands of living dicts would be measured instead.
    """
    times = []
    for _ in range(1 + PASSES):
        begin = time.process_time()
        for message in stream:
            decode(message)
        times.append((time.process_time() - begin) / len(stream) * 1e6)
    return median(times[1:])


if __name__ == "__main__":
    main()
