"""What events hold, as types: their JSON Schemas are made from these (`app.asyncapi`)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from engine.outcome import MODES, OUTCOMES
from sinks.deliveries.life import State
from sinks.events.deliveries import delivery_type
from sinks.events.envelope import SPECVERSION

CHANGES = ("enter", "leave", "segment")
TYPES = {
    "tagChange": [f"tintype.tag-change.{one}" for one in CHANGES],
    "decision": [f"tintype.decision.{one}" for one in OUTCOMES.values()],
    "deliveryChange": [delivery_type(one) for one in State],
}


def _one_of(values: Any, told: str) -> Meta:
    return Meta(description=told, extra_json_schema={"enum": list(values)})


_HEX = "^[0-9a-f]{32}$"
Customer = Annotated[str, Meta(pattern=_HEX, description="The customer's id.")]
DecisionId = Annotated[
    str, Meta(pattern=_HEX, description="The decision; one that contradicts an earlier one has that one's.")
]
Partition = Annotated[int, Meta(ge=0, description="The partition of the shop.")]
Seq = Annotated[
    int, Meta(ge=0, description="The number of the effect in its partition, without a gap over decisions and "
              "changes of tags together.")
]  # fmt: skip
StepNumber = Annotated[int, Meta(ge=0, description="The record of the log at which it came out.")]
Minute = Annotated[int, Meta(description="Whole minutes since 1970-01-01 00:00 UTC.")]
Values = Annotated[
    dict[str, int | str | None],
    Meta(description="The rule's metrics at that moment, by their text; of an average its sum, and under "
         "'... count' how many. A personal attribute's value is sealed."),
]  # fmt: skip


class TagChange(Struct, forbid_unknown_fields=True):
    """A tag entered or left, or a segment changed (`engine.outcome.Transition`)."""

    partition: Partition
    seq: Seq
    step: StepNumber
    minute: Minute
    customer: Customer
    what: Annotated[str, Meta(description="The tag, or the RFM model whose segment changed.")]
    change: Annotated[str, _one_of(CHANGES, "What happened.")]
    mode: Annotated[str, _one_of(MODES, "Only live changes are news: the others come of an import, of the "
                                 "time between it and the first live record, and of a rule put in force.")]
    before: Annotated[str | None, Meta(description="The segment left.")]
    after: Annotated[str | None, Meta(description="The segment entered.")]
    values: Values


_CAUSE: dict[str, Any] = {
    "properties": {
        "minute": {"type": "integer"},
        "source": {"type": "string"},
        "key": {"type": "string", "pattern": _HEX},
        "position": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3},
    },
    "anyOf": [{"required": ["minute"]}, {"required": ["source", "key", "position"]}],
    "additionalProperties": False,
}


class Decision(Struct, forbid_unknown_fields=True):
    """What a trigger concluded for a customer (`engine.outcome.Decision`)."""

    id: DecisionId
    partition: Partition
    seq: Seq
    step: StepNumber
    minute: Minute
    customer: Customer
    trigger: str
    version: Annotated[str, Meta(description="Of the trigger's rule.")]
    outcome: Annotated[str, _one_of(OUTCOMES.values(), "What it came to.")]
    guard: Annotated[str, Meta(description="What held it back; 'none' where nothing did.")]
    status: Annotated[str, Meta(description="Of the trigger, live or shadow; in shadow nothing is done.")]
    cause: Annotated[
        dict[str, Any],
        Meta(description="The row, or the minute, that set it off.", extra_json_schema=_CAUSE),
    ]
    figures: Annotated[dict[str, int | str], Meta(description="The guard's figures, and names.")]
    values: Values


class DeliveryChange(Struct, forbid_unknown_fields=True):
    """A delivery came into a state (`sinks.events.deliveries`). There is no address and no text in it."""

    partition: Annotated[int, Meta(ge=0, description="The decision's.")]
    seq: Annotated[int, Meta(ge=0, description="The decision's.")]
    decision: DecisionId
    customer: Customer
    trigger: str
    channel: str
    template: str
    purpose: str
    change: Annotated[int, Meta(ge=1, description="Which change of this delivery it is.")]
    state: State
    attempt: Annotated[int, Meta(ge=0, description="Attempts made so far.")]
    provider: Annotated[str, Meta(description="Of the last attempt, channel/name; empty before the first.")]
    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="When, UTC.")]
    reason: Annotated[str, Meta(description="Of the state; empty where there is none.")]


DATA: dict[str, type[Struct]] = {
    "tagChange": TagChange, "decision": Decision, "deliveryChange": DeliveryChange,
}  # fmt: skip


def attributes(kind: str) -> dict[str, dict[str, Any]]:
    """Return the schema of each attribute of a kind's events, by its name without a prefix."""
    place = "-[0-9]+" * (2 if kind == "deliveryChange" else 1)
    minutes = "[0-9]{2}\\.[0-9]{3}" if kind == "deliveryChange" else "00"
    return {
        "specversion": {"const": SPECVERSION},
        "id": {
            "type": "string", "pattern": f"^[0-9]+{place}$",
            "description": "PARTITION-SEQ of the effect; of a delivery its decision's, and which change "
            "of it. Unique in the shop; what comes twice has it twice.",
        },
        "source": {"type": "string", "pattern": "^/tintype/[^/]+$", "description": "The shop."},
        "type": {"enum": TYPES[kind]},
        "subject": {"type": "string", "pattern": _HEX, "description": "The customer's id."},
        "time": {
            "type": "string", "format": "date-time", "description": "When, UTC; of an effect its minute.",
            "pattern": f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:{minutes}Z$",
        },
    }  # fmt: skip


def schemas(template: str) -> dict[str, Any]:
    """Return the JSON Schemas of all data by name; template: of references, such as ``#/schemas/{name}``."""
    _, found = msgspec.json.schema_components(list(DATA.values()), ref_template=template)
    return found
