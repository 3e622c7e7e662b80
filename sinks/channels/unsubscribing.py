"""Which answers of customers mean that they want no more messages; one table for every text channel."""

from __future__ import annotations

import re
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
_WORDS = frozenset(word.replace(" ", "") for word in UNSUBSCRIBING)
_UNSEEN = ("Cf", "Cc")  # such as a space of no width, and marks of direction
_AROUND = ".,;:!?。,;:!?、…~·'\"“”‘’()[]【】「」《》<>"
_LONGEST = 40  # of an instruction; whoever writes more asks or tells something
_WANTS = "退订|退訂|取消订阅|取消訂閱|取消|拒收"
# Some write the instruction itself, whichever way round it was: 回T退订, 退订回T, 拒收请回复R.
_INSTRUCTION = re.compile(
    rf"(?:(?:{_WANTS})[{re.escape(_AROUND)}]*(?=[请請回发發]))?[请請]?(?:回复|回復|回|发送|發送|发|發)?"
    rf"[{re.escape(_AROUND)}]*(?P<word>.+?)[{re.escape(_AROUND)}]*(?:{_WANTS})?"
)


def unsubscribes(text: str) -> bool:
    """Tell whether a customer's answer is one of the words, alone or as the instruction that it came from.

    Spaces, and signs that nobody sees, do not count: keyboards and carriers put them in.

    >>> [unsubscribes(text) for text in ("td", " Ｔ ", "退 订。", "回T退订", "拒收请回复R", "Stop!")]
    [True, True, True, True, True, True]
    >>> [unsubscribes(text) for text in ("TD 2", "don't stop", "如何退订？", "取消明天的订单")]
    [False, False, False, False]
    """
    said = "".join(
        sign for sign in unicodedata.normalize("NFKC", text).upper()
        if not sign.isspace() and unicodedata.category(sign) not in _UNSEEN
    ).strip(_AROUND)  # fmt: skip
    if said in _WORDS:
        return True
    found = _INSTRUCTION.fullmatch(said) if len(said) <= _LONGEST else None
    return found is not None and found["word"] in _WORDS
