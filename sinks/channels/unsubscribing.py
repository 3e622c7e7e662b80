"""Which answers of customers mean that they want no more messages; one table for every text channel."""

from __future__ import annotations

import unicodedata

# Chinese senders end a text with 回T退订, 回TD退订, 拒收请回复R, 退订回N or 回QX取消, and people send just
# that; carriers of English-speaking countries have STOP and its kin (CTIA, Messaging Principles, "opt-out").
UNSUBSCRIBING = frozenset(
    {
        "T", "TD", "N", "R", "QX", "TDHF", "0000", "00000",
        "退订", "退", "取消", "取消订阅", "拒收", "不再接收", "退訂", "取消訂閱",
        "STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "OPT OUT", "OPT-OUT",
        "REVOKE",
    }
)  # fmt: skip
_AROUND = " \t\r\n.,;:!?。,;:!?、…~·'\"“”‘’()[]【】「」《》<>"
_BEFORE = ("回复", "回復", "回", "发送", "發送")  # some write the instruction itself
_BEHIND = ("退订", "退訂", "取消", "拒收")


def unsubscribes(text: str) -> bool:
    """Tell whether a customer's answer is one of the words, alone or as the instruction that it came from.

    >>> [unsubscribes(text) for text in ("td", " Ｔ ", "退订。", "回T退订", "Stop!", "TD 2", "don't stop")]
    [True, True, True, True, True, False, False]
    """
    said = " ".join(unicodedata.normalize("NFKC", text).upper().split()).strip(_AROUND)
    for before in _BEFORE:
        said = said.removeprefix(before).strip(_AROUND)
    if said in UNSUBSCRIBING:
        return True
    return any(said.removesuffix(behind).strip(_AROUND) in UNSUBSCRIBING for behind in _BEHIND)
