"""A text as an SMS carries it: which alphabet it fits, how many parts it takes, and their bytes.

A message has 140 bytes (3GPP TS 23.040, section 9.2.3.24): 160 characters of the 7-bit alphabet of GSM 03.38
(3GPP TS 23.038, section 6.2.1), or 70 units of UCS-2, which phones read as UTF-16. A longer text goes out in
parts, each with a header that says which part it is; 153 or 67 are left then.

Chinese providers count 70 and 67 for every text, one of Latin letters too: `count` with ``always_ucs2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Alphabet = Literal["gsm", "ucs2"]

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_EXTENDED = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40,
    "€": 0x65,
}  # fmt: skip
_TO_GSM = {letter: bytes([code]) for code, letter in enumerate(_BASIC) if code != _ESCAPE} | {
    letter: bytes([_ESCAPE, code]) for letter, code in _EXTENDED.items()
}
_FROM_EXTENDED = {code: letter for letter, code in _EXTENDED.items()}

_BYTES = 140
MOST_PARTS = 255  # the header counts parts in one byte


@dataclass(frozen=True)
class Counted:
    """What a text takes. units: septets of the 7-bit alphabet, or UTF-16 code units."""

    alphabet: Alphabet
    units: int
    parts: int


def alphabet_of(text: str) -> Alphabet:
    """Return the alphabet that a text goes out in.

    >>> alphabet_of("hello €"), alphabet_of("您好")
    ('gsm', 'ucs2')
    """
    return "gsm" if all(letter in _TO_GSM for letter in text) else "ucs2"


def room(alphabet: Alphabet, header_bytes: int = 0) -> int:
    """Return how many units one part holds beside its header.

    >>> [room(alphabet, header) for alphabet in ("gsm", "ucs2") for header in (0, 6, 7)]
    [160, 153, 152, 70, 67, 66]
    """
    left = _BYTES - header_bytes
    return left * 8 // 7 if alphabet == "gsm" else left // 2


def count(text: str, *, reference_bits: Literal[8, 16] = 8, always_ucs2: bool = False) -> Counted:
    """Return what a text is charged as. Raises ValueError as `encode` does.

    >>> count("a" * 160), count("a" * 161).parts, count("字" * 70).parts, count("字" * 71).parts
    (Counted(alphabet='gsm', units=160, parts=1), 2, 1, 2)
    >>> count("a" * 71, always_ucs2=True)
    Counted(alphabet='ucs2', units=71, parts=2)
    """
    alphabet: Alphabet = "ucs2" if always_ucs2 else alphabet_of(text)
    pieces = _pieces(text, alphabet, reference_bits)
    units = sum(map(len, pieces))
    return Counted(alphabet, units if alphabet == "gsm" else units // 2, len(pieces))


def encode(
    text: str, reference: int, *, reference_bits: Literal[8, 16] = 8, always_ucs2: bool = False
) -> tuple[Alphabet, Sequence[bytes]]:
    """Return a text's alphabet and the bytes of its parts, with a header where there are several.

    Septets are a byte each, as SMPP carries them. reference: tells the parts of one message from those of
    another; its low bits are used. Raises ValueError where it takes more than 255 parts, or holds half of a
    character.
    """
    alphabet: Alphabet = "ucs2" if always_ucs2 else alphabet_of(text)
    pieces = _pieces(text, alphabet, reference_bits)
    if len(pieces) == 1:
        return alphabet, pieces
    # 3GPP TS 23.040, section 9.2.3.24.1 (8-bit reference) and 9.2.3.24.8 (16-bit reference)
    wide = reference_bits == 16
    head = b"\x06\x08\x04" if wide else b"\x05\x00\x03"
    head += (reference % 65536).to_bytes(2, "big") if wide else bytes([reference % 256])
    total = len(pieces)
    return alphabet, [head + bytes([total, at]) + piece for at, piece in enumerate(pieces, 1)]


def decode(data: bytes, alphabet: Alphabet) -> str:
    """Return the text of one part without its header. What is no character of the alphabet is U+FFFD.

    >>> decode(bytes([0x1B, 0x65, 0x31]), "gsm")
    '€1'
    """
    if alphabet == "ucs2":
        return data.decode("utf-16-be", "replace")
    letters: list[str] = []
    codes = iter(data)
    for code in codes:
        if code == _ESCAPE:
            # a code that is not in the table is shown as the one of the basic table (TS 23.038, 6.2.1.1)
            code = next(codes, 0x20)
            letters.append(_FROM_EXTENDED.get(code) or _basic(code))
        else:
            letters.append(_basic(code))
    return "".join(letters)


def _basic(code: int) -> str:
    return _BASIC[code] if code < len(_BASIC) else "�"


def _pieces(text: str, alphabet: Alphabet, reference_bits: Literal[8, 16]) -> list[bytes]:
    """Return the encoded parts without headers; a character is never cut in two."""
    whole = _encoded(text, alphabet)
    unit = 1 if alphabet == "gsm" else 2
    if len(whole) <= room(alphabet) * unit:
        return [whole]
    most = room(alphabet, 6 if reference_bits == 8 else 7) * unit
    pieces: list[bytes] = []
    start = 0
    while start < len(whole):
        end = min(start + most, len(whole))
        if end < len(whole) and _cuts(whole, end, alphabet):
            end -= unit
        pieces.append(whole[start:end])
        start = end
    if len(pieces) > MOST_PARTS:
        raise ValueError(f"the text takes {len(pieces)} parts; an SMS has {MOST_PARTS} at most")
    return pieces


def _encoded(text: str, alphabet: Alphabet) -> bytes:
    if alphabet == "gsm":
        return b"".join([_TO_GSM[letter] for letter in text])
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        raise ValueError("the text holds half of a character") from None


def _cuts(whole: bytes, at: int, alphabet: Alphabet) -> bool:
    """Tell whether a part that ends there ends in half of a character."""
    if alphabet == "gsm":
        return whole[at - 1] == _ESCAPE  # only ever the first of two: the basic table has no such letter
    return 0xD8 <= whole[at - 2] <= 0xDB  # a high surrogate
