"""JSON Schemas of a shop's files, made from the declarations, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from app.shop import Settings
from app.timelines.timeline import Timeline
from rfm.model import RfmModel
from sinks.channels.channel import Channel
from sinks.coupons.pool import Pool
from sinks.recommendations.declaration import Recommendations
from streams.contract.source import Source
from tags.tag import Tag
from triggers.trigger import Trigger

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schema"
# file kind: (what its document is, whether the name is the file's own and so no key of it)
KINDS: dict[str, tuple[Any, bool]] = {
    "tintype": (Settings, False),
    "source": (Source, True),
    "metrics": (dict[str, str], False),
    "rfm": (RfmModel | list[RfmModel], False),
    "tag": (Tag, True),
    "trigger": (Trigger, True),
    "channels": (dict[str, Channel], False),
    "coupons": (dict[str, Pool], False),
    "recommendations": (Recommendations, False),
    "timeline": (Timeline, False),
}


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of file.

    >>> schema_of("tag")["required"] if "required" in schema_of("tag") else "nothing is required"
    'nothing is required'
    """
    document, named_by_file = KINDS[kind]
    schema = TypeAdapter(document).json_schema(by_alias=True, mode="validation")
    if named_by_file:
        del schema["properties"]["name"]
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": f"Tintype: {kind}"}


def schema_files() -> dict[str, str]:
    """Return file name to text of all schemas."""
    return {
        f"{kind}.schema.json": json.dumps(schema_of(kind), ensure_ascii=False, indent=2) + "\n"
        for kind in KINDS
    }
