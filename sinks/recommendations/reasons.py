"""Why an item is in a slot, in words."""

from __future__ import annotations

from collections.abc import Mapping

from sinks.recommendations.choose import Chosen
from sinks.recommendations.declaration import AGAIN, POPULAR
from sinks.recommendations.model import Facts, Model

_BECAUSE = {
    "bought": {"zh": "因为您买过{item}", "en": "Because you bought {item}"},
    "added": {"zh": "因为您加购过{item}", "en": "Because you put {item} into your basket"},
    "liked": {"zh": "因为您收藏过{item}", "en": "Because you liked {item}"},
    "viewed": {"zh": "因为您看过{item}", "en": "Because you looked at {item}"},
}
_AGAIN = {"zh": "您以前买过", "en": "You bought this before"}
_POPULAR = {"zh": "大家都喜欢", "en": "Popular with everybody"}
_WITH_SOME = {"zh": "和您相似的顾客喜欢", "en": "Popular with customers like you"}


def titles_of(model: Model, facts: Facts, item: str) -> Mapping[str, str]:
    """Return an item's titles by language; empty for one that the catalogue does not have."""
    number = model.number.get(item)
    return {} if number is None else facts.titles[number]


def words_of(one: Chosen, titles: Mapping[str, str]) -> Mapping[str, str]:
    """Return the reason by language. titles: of the item that spoke for it; its id stands for none.

    >>> from sinks.recommendations.customer import Touch
    >>> words_of(Chosen(3, "similar", Touch("A7", 0, "bought", 1, 0)), {"zh": "龙井"})
    {'zh': '因为您买过龙井', 'en': 'Because you bought A7'}
    """
    if one.strategy == AGAIN:
        return _AGAIN
    if one.because is None:
        return _POPULAR if one.strategy == POPULAR else _WITH_SOME
    item = one.because.item
    return {
        language: text.replace("{item}", titles.get(language) or item)
        for language, text in _BECAUSE[one.because.act].items()
    }
