"""A connector's topics: how many partitions, and whether that changed."""

from __future__ import annotations

from streams.debezium import kafka
from streams.debezium.doctor.finding import Finding, included
from streams.debezium.files import ConnectorFile


def look_at_topics(file: ConnectorFile, bootstrap: str) -> list[Finding]:
    """Look at the topics of a connector's tables; one that was not made yet is none to look at."""
    with kafka.consumer(bootstrap) as consumer:
        names = [one for one in sorted(consumer.topics()) if one.startswith(f"{file.prefix}.")]
        counts = {
            name.removeprefix(f"{file.prefix}."): len(consumer.partitions_for_topic(name)) for name in names
        }
    wanted = int(file.config.get("topic.creation.default.partitions", "1"))
    found = []
    for table in included(file, counts):
        topic, count = f"{file.prefix}.{table}", counts[table]
        if count == 1:
            cost = "one worker alone can read it, however many there are"
            more = max(wanted, 4)
            mend = f"stop the connector, read the topic to its end, make it anew with {more} partitions"
            found.append(Finding("partitions", topic, "it has one partition", cost, mend))
        elif count != wanted:
            cost = (
                "if it was changed while rows stood in it, a row's old and new changes are in two partitions"
            )
            key = "topic.creation.default.partitions"
            mend = f'write "{key}": "{count}" into {file.where}; never add any to a topic in use'
            found.append(Finding("partitions", topic, f"it has {count}, the file says {wanted}", cost, mend))
    return found
