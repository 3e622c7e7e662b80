"""What the engine says when the user can mend it, in words that say how."""

from __future__ import annotations

import re

from streams.errors import InputError

_CODE = re.compile(r"Code: (\d+)\.\s+DB::Exception: ")
_NO_SPACE, _MEMORY = {243}, {241}
# Codes by which a server refuses for now what it may take later, whoever has to do something about it: no
# memory, disk or parts to spare, too many questions, a quota, a table read-only, a password changed.
_FOR_NOW = {
    159, 173, 192, 193, 194, 195, 201, 202, 203, 209, 210, 236, 241, 242, 243, 252, 279, 285, 319, 439, 516,
}  # fmt: skip
_TAIL = re.compile(
    r"\s*\((?:[A-Z_]+|version [^)]*)\)\.?\s*$|[,.] Stack trace.*$|\. Expected one of.*$|: While executing.*$"
    r"|In scope .*?: ",
    re.DOTALL | re.IGNORECASE,
)


class Away(InputError):
    """The server does not answer, or takes nothing for now. What was being written may be in, or not."""


class SetBack(InputError):
    """The server has less than it once had; whoever writes begins anew from what it has."""


def of_server(where: str, code: int, text: str) -> InputError | None:
    """Return what to tell of a server's refusal that ends by itself or by the user's doing, else None."""
    if code in _FOR_NOW or "errno: 28" in text or "No space left" in text:
        told = _read(text)[1]
        return Away(
            where, f"the server takes nothing for now: {told} (code {code})",
            "see to the server; nothing is lost: what comes out waits",
        )  # fmt: skip
    return of_writing(where, text)


def of_writing(where: str, text: str) -> InputError | None:
    """Return the error of a failed insert if the user can mend it, else None: it is then a defect."""
    code, told = _read(text)
    if code in _NO_SPACE or "No space left" in text or "errno: 28" in text:
        return InputError(
            where, "the disk is full", "make room; history goes on where it stopped, nothing is lost"
        )
    if code in _MEMORY:
        return InputError(where, f"there is not enough memory: {told}", "stop other programs, then go on")
    if "Permission denied" in text or "errno: 13" in text or "Read-only file system" in text:
        return InputError(where, f"cannot be written: {told}", "let this user write the folder")
    if "max length of table name" in text or "Bad path syntax" in text or "File name too long" in text:
        return InputError(where, "the name is too long for a table", "give the source's file a shorter name")
    return None


def of_question(text: str) -> InputError:
    """Return the error of a question that could not be answered, in the engine's words."""
    return InputError("question", _read(text)[1], "docs/history.md names the tables and columns")


def of_opening(where: str, text: str) -> InputError:
    """Return the error of a folder that could not be opened."""
    full = of_writing(where, text)
    if full is not None:
        return full
    told = _read(text)[1] or "no reason was given"
    return InputError(
        where,
        f"history cannot be opened: {told}",
        "let this user read and write the folder; if it is damaged, move it away: it is then copied anew",
    )


def _read(text: str) -> tuple[int, str]:
    """Return the engine's last error code and its words, without its own frame.

    >>> _read("Code: 47. DB::Exception: Unknown identifier `x`. (UNKNOWN_IDENTIFIER)")
    (47, 'Unknown identifier `x`.')
    """
    codes = _CODE.findall(text)
    told = _CODE.split(text)[-1]
    while (cut := _TAIL.sub("", told)) != told:
        told = cut
    return (int(codes[-1]) if codes else 0), " ".join(told.split())[:500]
