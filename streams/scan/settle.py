"""From cells to what the source's columns say: tokens get the meaning that the general readers gave them
once.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from streams.scan.envelope import DELETE, GENERAL, NATIVE, NULL
from streams.scan.jit import scan_entry

UNKNOWN, MEANS, NOTHING, REFUSED = range(
    4
)  # of a token, for one use: not read yet; something; null; see general
# columns of ``uses``: which cell, by what its numbers are divided, what for, whether its text itself is meant
CELL, UNIT, PURPOSE, IS_TEXT = range(4)
COLUMN, KEY, REFERENCE = range(3)  # of a deleted row only the key counts, and who it belonged to
MOST_USES = 62  # bits of ``nulls``

Array = NDArray[Any]


@scan_entry
def settle(
    op: Array, numbers: Array, codes: Array, uses: Array, state: Array, meaning: Array, values: Array,
    nulls: Array, unread: Array,
) -> int:  # fmt: skip
    """Fill ``values[i, u]`` and bit u of ``nulls[i]`` of each message i that the scanner read.

    Returns how many tokens have not been read yet: ``unread`` holds them as (use, code); read them, and call
    again. A message with a token that is refused is left to the general decoder.
    """
    waiting = 0
    for i in range(len(op)):
        if op[i] == GENERAL:
            continue
        null = 0
        for use in range(len(uses)):
            code, purpose = codes[i, uses[use, CELL]], uses[use, PURPOSE]
            if op[i] == DELETE and purpose == COLUMN:
                null |= 1 << use
            elif code == NATIVE:
                values[i, use] = numbers[i, uses[use, CELL]] // uses[use, UNIT]
            elif code == NULL:
                null |= 1 << use
            elif state[use, code] == MEANS:
                values[i, use] = code if uses[use, IS_TEXT] else meaning[use, code]
            elif state[use, code] == UNKNOWN:
                unread[waiting, 0], unread[waiting, 1] = use, code
                waiting += 1
            elif state[use, code] == NOTHING or (op[i] == DELETE and purpose == REFERENCE):
                null |= 1 << use
            else:
                op[i] = GENERAL
                break
        nulls[i] = null
    return waiting
