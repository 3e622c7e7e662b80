"""The topics of a shop, by name and by what they must be like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from streams.contract.source import CHANGE_FORMATS, SEGMENT, Source
from streams.debezium import kafka
from streams.errors import InputError

LARGEST_MESSAGE = 12_000_000  # bytes; a block ends at 512 KB, but one row may have 10 MB
_KEEP = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
# What was forgotten is out of the brokers' files a day after it was, or when their cleaners next come by.
FORGETS = {"max.compaction.lag.ms": str(86_400_000)}
_LATEST = {"cleanup.policy": "compact", **FORGETS}


@dataclass(frozen=True)
class Topics:
    """A shop's topics. ``tintype.SHOP.`` stands before each; see `topic_name`."""

    shop: str

    def _name(self, what: str) -> str:
        return topic_name(self.shop, what)

    @property
    def changes(self) -> str:
        """The log."""
        return self._name("changes")

    @property
    def keys(self) -> str:
        """Customers' keys, wrapped; compacted, so that a forgotten one is gone."""
        return self._name("keys")

    @property
    def dead(self) -> str:
        """Dead letters."""
        return self._name("dead")

    @property
    def dead_states(self) -> str:
        """What became of dead letters; compacted."""
        return self._name("dead-states")

    @property
    def settings(self) -> str:
        """The settings in force; compacted."""
        return self._name("settings")

    @property
    def migration(self) -> str:
        """How far a log is that is being brought into this one."""
        return self._name("migration")

    @property
    def reports(self) -> str:
        """Populations of the partitions, of which cut points are made."""
        return self._name("reports")

    @property
    def ledger(self) -> str:
        """What became of decisions to act: the records of the ledger of deliveries."""
        return self._name("ledger")

    @property
    def asked(self) -> str:
        """What the sender is asked to do: receipts from outside, acts by hand, switches."""
        return self._name("asked")

    @property
    def calls(self) -> str:
        """Calls in the shape of Segment's API, whichever sources take them."""
        return self._name("calls")

    def incoming(self, source: str) -> str:
        """The topic of a source that no change feed fills: rows over HTTP."""
        return self._name(f"in.{source}")

    def wanted(self, partitions: int, sources: Mapping[str, Source]) -> dict[str, tuple[int, dict[str, str]]]:
        """Return (partitions, settings) of every topic."""
        large = {"max.message.bytes": str(LARGEST_MESSAGE)}
        log = {**_KEEP, **large, "message.timestamp.type": "LogAppendTime"}
        found = {
            self.changes: (partitions, log),
            self.keys: (partitions, _LATEST),
            self.dead: (1, {**log, **_LATEST}),  # its times are compared with those of the log
            self.dead_states: (1, {**_LATEST, **large}),
            self.settings: (1, {**_LATEST, **large}),
            self.ledger: (1, {**_KEEP, **large}),
            self.reports: (1, {**large, "retention.ms": str(3_600_000)}),
        }
        week = {**large, "retention.ms": str(7 * 86_400_000)}
        found[self.calls], found[self.asked] = (partitions, week), (1, week)
        for name, source in sources.items():
            if source.format.type not in (*CHANGE_FORMATS, SEGMENT):
                found[self.incoming(name)] = partitions, week
        return found


def topic_name(shop: str, what: str) -> str:
    """Return the name of a shop's topic. What a topic's name may not hold becomes its UTF-8 in hex digits.

    >>> topic_name("little-shop", "changes"), topic_name("小店", "changes")
    ('tintype.little-shop.changes', 'tintype.-e5-b0-8f-e5-ba-97.changes')
    """
    return f"tintype.{re.sub(r'[^A-Za-z0-9._-]', _code, shop)}.{what}"


def _code(sign: re.Match[str]) -> str:
    """Return a sign that no topic may hold, such that different shops stay different."""
    return "".join(f"-{byte:02x}" for byte in sign.group().encode())


def make_topics(bootstrap: str, topics: Topics, partitions: int, sources: Mapping[str, Source]) -> list[str]:
    """Make the topics that are not there; return their names. Raises InputError where one is unlike its kind.

    The number of partitions of ``changes`` is fixed when it is made (semantics P1).
    """
    from kafka.admin import ConfigResource, ConfigResourceType

    wanted = topics.wanted(partitions, sources)
    with kafka.admin(bootstrap) as admin:
        there = set(admin.list_topics())
        made = [name for name in wanted if name not in there]
        new = {name: {"num_partitions": count, "configs": settings}
               for name, (count, settings) in wanted.items() if name in made}  # fmt: skip
        if new:
            admin.create_topics(new, wait_for_metadata=True)
        older = [one for one in (topics.keys, topics.dead_states) if one in there]
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, one, FORGETS) for one in older])
        settings_of_log = kafka.topic_settings(admin, topics.changes)
    _check_append_time(topics.changes, settings_of_log)
    with kafka.consumer(bootstrap) as consumer:
        have = len(consumer.partitions_for_topic(topics.changes) or ())
    if have and have != partitions:
        hint = f"write 'partitions = {have}'; another number is another log: tintype migrate --from-shop"
        raise InputError("tintype.toml", f"partitions is {partitions}, but the log has {have}", hint)
    return made


def _check_append_time(topic: str, settings: Mapping[str, str]) -> None:
    """The log's clock is the broker's time of appending (semantics T2)."""
    if settings.get("message.timestamp.type") != "LogAppendTime":
        hint = "set it with kafka-configs: --add-config message.timestamp.type=LogAppendTime"
        raise InputError(topic, "its message.timestamp.type is not LogAppendTime", hint)
