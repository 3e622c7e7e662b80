"""The AsyncAPI document of a shop's events, made from what the code says of them.

docs/asyncapi.yaml is what `tintype schema --events` writes of it.
"""

from __future__ import annotations

from typing import Any

import yaml
from fastapi import APIRouter

from console.api import decisions, delivery_changes, tag_changes
from console.event_forms import STREAM
from sinks.events.envelope import BATCH, JSON
from sinks.events.wire import DATA, attributes, schemas
from sinks.topics.names import DECISIONS, DELIVERIES, TAG_CHANGES, topics_of

VERSION = "3.0.0"
# kind: (title, operation's summary, the router of its path)
KINDS: dict[str, tuple[str, str, APIRouter]] = {
    "tagChange": ("A tag or segment changed", "Tintype tells that a customer entered or left a tag, or came "
                  "into another segment.", tag_changes.router),
    "decision": ("A trigger concluded", "Tintype tells what a trigger concluded for a customer.",
                 decisions.router),
    "deliveryChange": ("A delivery came into a state", "Tintype tells what becomes of a delivery.",
                       delivery_changes.router),
}  # fmt: skip
TOPICS = {"tagChange": TAG_CHANGES, "decision": DECISIONS, "deliveryChange": DELIVERIES}
_TOLD = """\
Every change of a tag or segment, every decision of a trigger and every change of a delivery's state, as
CloudEvents 1.0. In Kafka's binary mode attributes are headers that begin with ce_, and the value is the data:
read with isolation.level=read_committed, and each effect is there exactly once, a customer's in their order.
Over HTTP, as server-sent events or in batches, events are JSON objects; the id of a frame is the cursor
behind its event, and a reader that gives it back as Last-Event-ID resumes exactly there. The effects of a
partition are numbered (seq) without a gap over decisions and changes of tags together.
""".replace("\n", " ").strip()
_CURSOR = {"type": "string", "pattern": "^[0-9.]{1,5000}$"}
_SHOP = {"shop": {"$ref": "#/components/parameters/shop"}}


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": VERSION,
        "info": {"title": "Tintype", "version": "1.0.0", "description": _TOLD},
        "defaultContentType": JSON,
        "servers": {
            "kafka": {
                "host": "{bootstrap}", "protocol": "kafka",
                "description": "The brokers of a cluster's shop ([kafka] bootstrap in its tintype.toml).",
                "variables": {"bootstrap": {"default": "localhost:9092"}},
            },
            "http": {
                "host": "{address}", "protocol": "http", "description": "tintype run, or tintype api.",
                "variables": {"address": {"default": "localhost:8080"}},
                "security": [{"$ref": "#/components/securitySchemes/key"}],
            },
        },
        "channels": {
            **{f"{kind}Topic": _topic(kind) for kind in TOPICS},
            **{f"{kind}Stream": _stream(kind) for kind in KINDS},
        },
        "operations": {
            **{f"send{_upper(kind)}": _operation(kind, "Topic", {}) for kind in TOPICS},
            **{f"stream{_upper(kind)}": _operation(kind, "Stream", _ASKED) for kind in KINDS},
        },
        "components": {
            "parameters": {"shop": {"description": "The shop's name."}},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of scope read."}
            },
            "messages": {
                **{f"{kind}Message": _message(kind) for kind in TOPICS},
                **{f"{kind}Event": _event(kind) for kind in KINDS},
            },
            "schemas": schemas("#/components/schemas/{name}"),
        },
    }  # fmt: skip


def text() -> str:
    """Return the document as it is written."""
    head = "# Made from the code: tintype schema --events.\n"
    return head + yaml.dump(document(), Dumper=_Whole, sort_keys=False, allow_unicode=True, width=118)


class _Whole(yaml.SafeDumper):
    """Writes what comes twice twice: readers of AsyncAPI need not know YAML's anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_ASKED = {
    "http": {
        "method": "GET",
        "query": {
            "type": "object",
            "properties": {
                "cursor": {**_CURSOR, "description": "To begin behind; from the oldest where absent."},
                "customer": {"type": "string", "description": "Only this one's; not of deliveries."},
            },
        },
        "bindingVersion": "0.3.0",
    }
}


def _upper(kind: str) -> str:
    return kind[0].upper() + kind[1:]


def _topic(kind: str) -> dict[str, Any]:
    title, _, _ = KINDS[kind]
    address = topics_of("SHOP").of_events[TOPICS[kind]].replace("SHOP", "{shop}")
    return {
        "address": address, "title": title, "servers": [{"$ref": "#/servers/kafka"}], "parameters": _SHOP,
        "messages": {f"{kind}Message": {"$ref": f"#/components/messages/{kind}Message"}},
    }  # fmt: skip


def _stream(kind: str) -> dict[str, Any]:
    title, _, router = KINDS[kind]
    (path,) = {str(getattr(route, "path")) for route in router.routes}  # noqa: B009 - routes without are none
    return {
        "address": path, "title": title, "servers": [{"$ref": "#/servers/http"}],
        "description": f"Accept: {STREAM} for a stream, {BATCH} for a batch.",
        "messages": {f"{kind}Event": {"$ref": f"#/components/messages/{kind}Event"}},
    }  # fmt: skip


def _operation(kind: str, form: str, bindings: dict[str, Any]) -> dict[str, Any]:
    _, summary, _ = KINDS[kind]
    channel, message = f"{kind}{form}", f"{kind}{'Message' if form == 'Topic' else 'Event'}"
    found = {
        "action": "send", "summary": summary, "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
    }  # fmt: skip
    return {**found, "bindings": bindings} if bindings else found


def _message(kind: str) -> dict[str, Any]:
    headers = {f"ce_{name}": schema for name, schema in attributes(kind).items()}
    headers["content-type"] = {"const": JSON}
    return {
        "name": f"{kind}Message", "title": KINDS[kind][0], "contentType": JSON,
        "headers": _whole(headers), "payload": _data(kind),
        "bindings": {"kafka": {"key": attributes(kind)["subject"], "bindingVersion": "0.5.0"}},
    }  # fmt: skip


def _event(kind: str) -> dict[str, Any]:
    parts = {**attributes(kind), "datacontenttype": {"const": JSON}, "data": _data(kind)}
    return {
        "name": f"{kind}Event", "title": KINDS[kind][0], "contentType": "application/cloudevents+json",
        "payload": _whole(parts),
    }  # fmt: skip


def _data(kind: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{DATA[kind].__name__}"}


def _whole(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all these parts and no other."""
    return {
        "type": "object", "required": list(parts), "additionalProperties": False, "properties": parts,
    }  # fmt: skip
