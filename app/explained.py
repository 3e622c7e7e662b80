"""One customer's profile from the engine itself, with why each tag is held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.owner import Owner
from engine.documents import documents
from engine.why import number_of, why_tag


@dataclass(frozen=True)
class Explained:
    """document: of the store's form, each tag with ``why`` (`engine.why.why_tag`); clock: epoch minute;
    steps: records applied, one number a partition of the engine."""

    document: dict[str, Any]
    clock: int
    steps: list[int]


@dataclass(frozen=True)
class Answer:
    """What the owner of a partition says of a customer. epoch: of its claim on the partition; a former
    owner's, which was paused, is an older one."""

    epoch: int
    explained: Explained | None


def explained(owner: Owner, customer: bytes) -> Explained | None:
    """Return what the engine holds of a customer (id of 16 bytes); None if it knows nobody of this id."""
    name = customer.hex()
    for partition in owner.engine.partitions:
        number = number_of(partition, name)
        if number < 0:
            continue
        [(_, document)] = documents(partition, np.array([number], dtype=np.int32))
        assert document is not None  # who has a number is not erased
        for tag, held in document["tags"].items():
            held["why"] = why_tag(partition, name, tag, owner.shop.tags[tag].rule or "")
        return Explained(document, partition.clock, list(owner.engine.steps))
    return None
