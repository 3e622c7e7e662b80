"""Row keys: 128 bits, as semantics W1 writes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from streams.contract.numbers import ValueProblem, parse_number, quoted
from streams.contract.source import Source
from streams.contract.values import encode, parse_each

Int64s = NDArray[np.int64]
WHOLE_HIGH = np.iinfo(np.int64).min  # the high half of a whole-number key
_JOIN = "\x1f"


def is_whole_key(source: Source) -> bool:
    """Say whether the key is one column that the source declares as ``int`` (its value is the key)."""
    if len(source.key) != 1 or source.occurrence:
        return False
    return any(
        column.type == "int" and (column.source_name or name) == source.key[0]
        for name, column in source.columns.items()
    )


def hash128(texts: Sequence[str]) -> tuple[Int64s, Int64s]:
    """Return xxh3_128 of each text's UTF-8 bytes as signed (high, low) pairs, int64."""
    digests = b"".join([xxhash.xxh3_128_digest(text.encode()) for text in texts])
    pairs = np.frombuffer(digests, dtype=">i8").astype(np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def whole_keys(column: pa.ChunkedArray) -> tuple[Int64s, Int64s, Int64s, dict[int, ValueProblem]]:
    """Return (high, low, codes, problems by code) of whole-number keys; nulls have key 0 and code -1."""
    encoded = encode(column)
    parsed = parse_each(encoded.texts, whole_key)
    low = np.append(parsed.numbers, 0)[encoded.codes]
    return np.full(len(low), WHOLE_HIGH), low, encoded.codes, parsed.problems


def whole_key(text: str) -> int:
    """Return a key column's text as the whole number that is the key. Raises ValueProblem."""
    number = parse_number(text)
    # A key is no amount: it may use all 64 bits, so the limit of values does not hold.
    whole, rest = divmod(number.digits * 10 ** max(-number.places, 0), 10 ** max(number.places, 0))
    if rest or not -(2**63) <= whole < 2**63:
        raise ValueProblem(f"{quoted(text)} is no whole number of 64 bits", "declare the key column as text")
    return int(whole)


def joined_texts(parts: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Return the texts of each row joined by 0x1F, null as empty text."""
    separator = pa.scalar(_JOIN, pa.large_string())
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="")


def text_keys(parts: list[pa.ChunkedArray], occurrence: bool) -> tuple[Int64s, Int64s]:
    """Return (high, low) of keys that are hashed: texts joined by 0x1F, null as empty text.

    With ``occurrence`` the number of equal keys up to this row (from 1) is appended (semantics W4).
    """
    joined = joined_texts(parts)
    texts: list[str] = joined.to_pylist()
    if occurrence:
        codes = encode(joined).codes
        counts = pd.Series(codes).groupby(codes).cumcount().to_numpy() + 1
        texts = [f"{text}{_JOIN}{count}" for text, count in zip(texts, counts.tolist(), strict=True)]
    return hash128(texts)
