"""The measured shop as a folder: what a process is started with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.load import load_shop
from app.shop import Shop
from bench.messages import debezium_shop
from bench.shops import small_shop
from sinks.channels.channel import Channel
from triggers.trigger import Action

AT_ONCE = "[triggers]\nshadow_first = false\n"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def write_shop(
    folder: Path, name: str, settings: str = "", tables: str = "", more: Mapping[str, Any] = NOTHING
) -> Shop:  # fmt: skip
    """Write the shop with 20 metrics, 20 tags and 5 triggers as a folder, fed by Debezium; return it read.

    settings, tables: more TOML, before and behind the table of groups; more: triggers.
    """
    shop = debezium_shop(small_shop())
    action = Action(channel="console", template="line")
    triggers = {name: one.model_copy(update={"action": action}) for name, one in shop.triggers.items()}
    console = Channel(templates={"line": "as decided"})
    files: dict[str, Any] = {
        "metrics.yaml": shop.metrics,
        "rfm.yaml": [model.model_dump(mode="json", exclude_defaults=True) for model in shop.rfm],
        "channels.yaml": {"console": console.model_dump(exclude_defaults=True)},
    }
    for kind, declared in (("sources", shop.sources), ("tags", shop.tags), ("triggers", triggers)):
        for one, said in declared.items():
            files[f"{kind}/{one}.yaml"] = said.model_dump(
                mode="json", by_alias=True, exclude_defaults=True, exclude={"name"}
            )
    files |= {f"triggers/{one}.yaml": said for one, said in more.items()}
    groups = "".join(f"{group} = {json.dumps(tags)}\n" for group, tags in shop.settings.groups.items())
    head = f'name = "{name}"\nzone = "{shop.settings.zone}"\n{settings}'
    for path, text in {"tintype.toml": f"{head}\n[groups]\n{groups}\n{AT_ONCE}\n{tables}", **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML, too
        (folder / path).write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return load_shop(folder)
