"""What an answer says of an item, and why it is there, as JSON; it follows from a model and its catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from sinks.recommendations.declaration import AGAIN, POPULAR
from sinks.recommendations.model import Facts, Model

Why = tuple[str, str | None, str | None]
"""The strategy that chose an item; what the customer did that spoke for it most, and with which item: None
where nothing of theirs did."""
_MOST = 100_000  # that are kept of each kind, some 0.3 KB each
_Asked = TypeVar("_Asked")
_BECAUSE = {
    "bought": {"zh": "因为您买过{item}", "en": "Because you bought {item}"},
    "added": {"zh": "因为您加购过{item}", "en": "Because you put {item} into your basket"},
    "liked": {"zh": "因为您收藏过{item}", "en": "Because you liked {item}"},
    "viewed": {"zh": "因为您看过{item}", "en": "Because you looked at {item}"},
}
_AGAIN = {"zh": "您以前买过", "en": "You bought this before"}
_POPULAR = {"zh": "大家都喜欢", "en": "Popular with everybody"}
_WITH_SOME = {"zh": "和您相似的顾客喜欢", "en": "Popular with customers like you"}


class Kept(dict[_Asked, bytes]):
    """What was written, kept for whoever is next; all anew when it is too much."""

    def __init__(self, write: Callable[[_Asked], bytes]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, asked: _Asked) -> bytes:
        if len(self) >= _MOST:
            self.clear()
        found = self[asked] = self._write(asked)
        return found


def described(model: Model, facts: Facts, number: int) -> bytes:
    """Return ``id`` of an item, and what the catalogue has of ``title`` by language, ``category``, ``price``,
    ``image`` and ``link``."""
    category = int(facts.category[number])
    return msgspec.json.encode({
        "id": model.items[number], "title": facts.titles[number],
        "category": facts.categories[category] if category >= 0 else "", "price": facts.price[number],
        "image": facts.image[number], "link": facts.link[number],
    })  # fmt: skip


def reason(model: Model, facts: Facts, why: Why) -> bytes:
    """Return why an item is there: ``act``, ``item``, its ``title`` by language, empty where the catalogue
    does not have it, and ``text`` by language."""
    strategy, act, item = why
    number = None if item is None else model.number.get(item)
    titles = {} if number is None else facts.titles[number]
    text = words_of(strategy, act, item, titles)
    return msgspec.json.encode({"act": act, "item": item, "title": titles, "text": text})


def words_of(
    strategy: str, act: str | None, item: str | None, titles: Mapping[str, str]
) -> Mapping[str, str]:
    """Return a reason by language. titles: of the item that spoke for it; its id stands for none.

    >>> words_of("similar", "bought", "A7", {"zh": "龙井"})
    {'zh': '因为您买过龙井', 'en': 'Because you bought A7'}
    """
    if strategy == AGAIN:
        return _AGAIN
    if act is None or item is None:
        return _POPULAR if strategy == POPULAR else _WITH_SOME
    return {
        language: text.replace("{item}", titles.get(language) or item)
        for language, text in _BECAUSE[act].items()
    }
