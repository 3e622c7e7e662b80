"""What names a row or a customer must be visible and short: a name that cannot be seen is nobody's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.contract.faults import Faults

LONGEST = 1000  # characters; databases index no longer ones (MySQL: 3072 bytes)
# Control characters, the byte order mark and the space of no width.
_INVISIBLE = r"[\x00-\x1f\x7f-\x{9f}\x{200b}\x{feff}]"
# The bytes at which their UTF-8 begins; and the space, for names that are nothing else.
_SUSPICIOUS = np.zeros(256, dtype=bool)
_SUSPICIOUS[[*range(0x21), 0x7F, 0xC2, 0xE2, 0xE3, 0xEF]] = True


def check_names(heading: str, column: pa.ChunkedArray, faults: Faults) -> None:
    """Mark the rows whose key or reference is blank, holds what cannot be seen, or is too long."""
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > LONGEST:
        rows = pc.fill_null(pc.greater(pc.utf8_length(column), LONGEST), False).to_numpy()
        problem = f"{heading}: a name of more than {LONGEST} characters"
        faults.add_rows(rows, problem, "name another column")
    if any(_is_suspicious(chunk) for chunk in column.chunks):
        blank = pc.fill_null(pc.utf8_is_space(column), False).to_numpy()
        faults.add_rows(blank, f"{heading}: nothing but blanks", "fill it")
        hidden = pc.fill_null(pc.match_substring_regex(column, _INVISIBLE), False).to_numpy()
        faults.add_rows(hidden, f"{heading}: holds a character that cannot be seen", "remove it")


def _is_suspicious(chunk: pa.LargeStringArray) -> bool:
    """Say whether any byte of the texts may begin such a character: most columns need no closer look."""
    text = chunk.buffers()[2]
    if text is None:
        return False
    signs = np.frombuffer(text, dtype=np.uint8)
    if len(signs) == 0 or (signs.min() > ord(" ") and signs.max() < 0x7F):  # visible ASCII: most columns
        return False
    found: NDArray[np.bool_] = _SUSPICIOUS[signs]
    return bool(found.any())


def check_name(text: str) -> None:
    """Raise ValueProblem for a text that `check_names` would mark."""
    if text.isascii() and text.isprintable() and not text.isspace() and len(text) <= LONGEST:
        return
    faults = Faults(1)
    check_names("the name", pa.chunked_array([pa.array([text], pa.large_string())]), faults)
    for _, problem in faults.found():
        raise problem
