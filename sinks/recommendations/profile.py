"""What a slot reads of a customer's profile; the rest of the document is passed over."""

from __future__ import annotations

import msgspec


class _Scores(msgspec.Struct, gc=False):
    segment: str | None


class _Profile(msgspec.Struct, gc=False):
    """rfm: model to scores, None where the customer has none; tags: name to what is said of it, as JSON."""

    rfm: dict[str, _Scores | None]
    tags: dict[str, msgspec.Raw]


def segments_and_tags(document: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the segments (also as MODEL/NAME) and tags that a profile's document says.

    >>> segments, tags = segments_and_tags(b'{"rfm": {"main": {"segment": "a"}}, "tags": {"vip": {}}}')
    >>> sorted(segments), sorted(tags)
    (['a', 'main/a'], ['vip'])
    """
    said = _DECODER.decode(document)
    segments = {
        name
        for model, scores in said.rfm.items()
        if scores is not None and scores.segment is not None
        for name in (scores.segment, f"{model}/{scores.segment}")
    }
    return frozenset(segments), frozenset(said.tags)


_DECODER = msgspec.json.Decoder(_Profile)
