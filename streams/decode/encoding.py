"""Finds out how a text file is encoded, or says that it cannot be known."""

from __future__ import annotations

import codecs

from streams.errors import InputError

UTF8 = "utf-8"
GB18030 = "gb18030"  # contains GBK and GB2312
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # it begins with UTF-16's mark: asked first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4096
_CHINESE_SHARE = 0.8  # of the letters beyond ASCII; Latin-1 text that happens to decode has nearly none
_WIDE_SHARE = 0.1  # of the signs of a table are ASCII at least: separators, digits, line ends
_HINT = "set format.encoding of the source, such as gbk, windows-1252 or utf-16"


def to_utf8(data: bytes, declared: str, where: str) -> tuple[bytes, str]:
    """Return the file's text as UTF-8 without a byte order mark, and the name of its encoding.

    declared: a codec's name, or ``auto``: a byte order mark decides; else zero bytes show UTF-16; else
    UTF-8 if the whole file is valid; else GB18030 if all of it decodes and mostly to Chinese.
    Raises InputError (with the line) where the bytes do not fit the encoding, or none fits.
    """
    for mark, encoding in _MARKS:
        fits = declared == "auto" or _same(declared, encoding)
        if fits and data.startswith(mark):
            return _decode(data[len(mark) :], encoding, where), f"{encoding} with byte order mark"
    if declared != "auto":
        return _decode(data, _known(declared, where), where), declared
    wide = _wide(data)
    if wide:
        return _decode(data, wide, where), wide
    try:
        return _decode(data, UTF8, where), UTF8
    except InputError as not_utf8:
        if not _looks_chinese(data):
            raise InputError(
                not_utf8.where,
                "the encoding is not clear (not UTF-8, and GB18030 gives no Chinese text)",
                _HINT,
            ) from not_utf8
    return _decode(data, GB18030, where), GB18030


def _same(declared: str, encoding: str) -> bool:
    plain = declared.lower().replace("_", "-").replace("utf8", "utf-8").replace("utf16", "utf-16")
    return plain in (encoding, encoding.removesuffix("-le").removesuffix("-be"), encoding + "-sig")


def _known(declared: str, where: str) -> str:
    try:
        return codecs.lookup(declared).name
    except LookupError:
        raise InputError(where, f"encoding '{declared}' is unknown", _HINT) from None


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: its ASCII signs have a zero byte at every other place, and only there.

    A few zero bytes in 8-bit text, or zeros everywhere, are damage.
    """
    sample = data[:_SAMPLE]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < _WIDE_SHARE * len(sample) / 2 or min(even, odd) > max(even, odd) / 10:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _decode(data: bytes, encoding: str, where: str) -> bytes:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        bad = data[error.start : error.start + 2].hex(" ")
        raise InputError(f"{where}:{line}", f"bytes {bad} are not {encoding}", _HINT) from None
    return data if encoding == UTF8 else text.encode(UTF8)


def _looks_chinese(data: bytes) -> bool:
    try:
        text = data.decode(GB18030)
    except UnicodeDecodeError:
        return False
    beyond = [letter for letter in text if ord(letter) > 0x7F]
    chinese = sum(1 for letter in beyond if _is_chinese(ord(letter)))
    return chinese >= _CHINESE_SHARE * len(beyond)


def _is_chinese(code: int) -> bool:
    return 0x4E00 <= code <= 0x9FFF or 0x3000 <= code <= 0x303F or 0xFF00 <= code <= 0xFFEF
