"""A log becomes that of a cluster, with that cluster's number of partitions (semantics L4).

It is an embedded shop's, or another cluster's.

Order of things, and why a kill between any two of them loses and doubles nothing:
1. windows of records, each in one transaction with how far it is;
2. customers' keys, which may be written twice;
3. in one transaction what stands beside the blocks, with offsets of lanes that were another cluster's;
4. the new log is replayed and compared with the former;
5. deliveries are carried over (`app.migrating.deliveries`): the former shop sends no more;
6. in one transaction the cut points in force, how far the topics of effects are, and that it is done;
7. only then the settings are applied, without which no worker starts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from app.life.gate import next_applied, past_of_log, refuse_unproven
from app.migrating.cluster import check_no_workers
from app.migrating.compare import Replayed, compare
from app.migrating.deliveries import Carrying, FormerDeliveries
from app.migrating.former import Former
from app.migrating.places import Places, Untaken
from app.replay import canonical, last_version
from app.shop import Shop
from app.worker.place import ClusterPlace
from engine.plan import settings_hash
from rfm.merge import merged
from rfm.record import said
from sinks.topics.cursor import cursor_key, cursor_value
from sinks.topics.names import make_topics as make_effect_topics
from sinks.topics.names import topics_of
from streams.changes.controls import control_block
from streams.changes.settings import Applied
from streams.changes.topics import make_topics
from streams.changes.wire import Origin
from streams.control import CUTS, TICK, Control
from streams.control import canonical as canonical_body
from streams.dead.topic import packed
from streams.debezium import kafka
from streams.errors import InputError
from streams.log.block import Block
from streams.migrate.beside import beside
from streams.migrate.former import directory, window, windows
from streams.migrate.regroup import Clocks, Regroup, settings_for
from streams.migrate.send import Progress, Said, Sender, read_progress
from streams.shared.delta import Told
from streams.shared.index import Index
from streams.shared.lanes import DIRECTORY
from streams.shared.vault import SharedVault
from streams.worker.log_reader import LogReader

_KEYS = 5000  # of a transaction
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Migrated:
    """What was done, or would be. records: of the former log; written: of those here, by this run and former
    ones; customers: compared, and equal."""

    partitions: int
    former_partitions: int
    records: int
    written: int
    rows: int
    customers: int


class Migration:
    """One log on its way into a cluster. Use `check`, then `run`; former: nobody writes it meanwhile. watch:
    gets (stage, done, of how many)."""

    def __init__(
        self, former: Former, shop: Shop, place: ClusterPlace, watch: Watch = lambda *_: None
    ) -> None:
        self._origin, self._former = former, former.log
        self._shop, self._place, self._watch = shop, place, watch
        self._partitions = shop.settings.partitions
        self._reader = LogReader(place.bootstrap, place.topics)

    def close(self) -> None:
        """Let go of the brokers."""
        self._reader.close()

    def check(self) -> Progress:
        """Return how far a former run came; change nothing.

        Raises InputError where the secret is another, workers run, the log is of another shop or has grown
        since, or the cluster's log has something else in it.
        """
        if self._former.vault.secret != self._place.secret:
            hint = "every worker needs the shop's own: tintype secret --of SHOP prints it"
            raise InputError("TINTYPE_SECRET", "it is not the secret of this shop's log", hint)
        if last_version(self._former) is None:
            hint = "import or run something first"
            raise InputError(str(self._former.folder), "the log has no settings", hint)
        refuse_unproven(past_of_log(self._former), self._shop, lambda label, _: f"{label}:1")
        begun = Progress(self._origin.name, self._former.next_steps(), [-1] * self._partitions)
        topics = self._place.topics
        with kafka.consumer(self._place.bootstrap) as consumer:
            there = consumer.topics()
            ends = consumer.end_offsets(kafka.partitions_of(consumer, [topics.changes]))
        check_no_workers(self._place)
        found = read_progress(self._reader, topics) if topics.migration in there else None
        if found is None:
            if any(ends.values()) and next(iter(self._reader.log(None)), None) is not None:
                hint = "migrate into a cluster of another name, or one whose topics are empty"
                raise InputError(topics.changes, "this log has records already", hint)
            return begun
        if (found.log, len(found.clocks)) != (self._origin.name, self._partitions):
            hint = "go on with what was begun, or delete the topics of this shop and begin anew"
            raise InputError(topics.migration, "another log was being migrated here", hint)
        if found.steps != begun.steps:
            hint = "delete the topics of this shop and begin anew; let nothing write meanwhile"
            raise InputError(self._former.shop, "the log has grown since its migration began", hint)
        return found

    def is_done(self, progress: Progress) -> bool:
        """Whether nothing is left to do: the settings are applied too."""
        return progress.stage == "done" and self._reader.newest(self._place.topics.settings) is not None

    def summary(self, progress: Progress, customers: int = 0) -> Migrated:
        """Return what is to be done, or was."""
        (rows,) = self._former.connection.execute("SELECT count(*) FROM row WHERE alive").fetchone()
        return Migrated(
            self._partitions, self._former.partitions, sum(self._former.next_steps()), progress.records, rows,
            customers,
        )  # fmt: skip

    def run(self, work: Path) -> Migrated:
        """Migrate, or go on with it. work: a folder for copies of the new log, which is removed at the end.

        Raises InputError where the new log comes to something else than the former.
        """
        place, sources = self._place, self._shop.sources
        progress = self.check()
        make_topics(place.bootstrap, place.topics, self._partitions, sources)
        make_effect_topics(place.bootstrap, topics_of(place.topics.shop), self._partitions)
        kafka.make_topic(place.bootstrap, place.topics.migration, 1)
        customers = 0
        with Sender(place.bootstrap, place.topics) as sender:
            progress = self.check()  # nobody else can write any more
            if progress.stage == "windows":
                progress = self._windows(sender, progress)
            if progress.stage == "beside":
                self._keys(sender)
                progress = self._beside(sender, progress)
            if progress.stage == "end":
                shutil.rmtree(work, ignore_errors=True)
                progress, customers = self._end(sender, progress, work)
                shutil.rmtree(work)
            self._apply(sender)
        client = place.client()
        index = Index(client, place.topics.shop)
        client.delete(index.key("whole"))  # whoever claims a lane writes the index from the log
        client.close()
        return self.summary(progress, customers)

    def _windows(self, sender: Sender, progress: Progress) -> Progress:
        clocks = Clocks(list(progress.clocks), progress.former, progress.live)
        settings = settings_for(self._partitions, self._place.topics.shop, settings_hash)
        regroup = Regroup(directory(self._former), self._partitions, settings, clocks)
        total, spans = sum(progress.steps), list(windows(self._former, progress.after))
        for at, (first, last) in enumerate(spans):
            is_last = at == len(spans) - 1
            found = regroup.take(window(self._former, first, last, self._origin.apart), is_last)
            progress = replace(
                progress, after=last, clocks=list(clocks.partitions), former=clocks.former, live=clocks.live,
                records=progress.records + found.records, stage="beside" if is_last else "windows",
            )  # fmt: skip
            with sender.transaction():
                sender.blocks(found.blocks)
                sender.progress(progress)
            self._watch("records", progress.records, total)
        return progress

    def _keys(self, sender: Sender) -> None:
        held = list(self._origin.keys())
        for at in range(0, len(held), _KEYS):
            with sender.transaction():
                for customer, number, wrapped in held[at : at + _KEYS]:
                    sender.key(customer, number, wrapped)
            self._watch("keys", min(at + _KEYS, len(held)), len(held))

    def _beside(self, sender: Sender, progress: Progress) -> Progress:
        """Write what no record says: rows deleted before they were seen, parked ones, lanes, dead letters."""
        client = self._place.client()
        vault = SharedVault(self._place.secret, Index(client, self._place.topics.shop))
        tells = beside(self._former, self._shop.sources, vault)
        client.close()
        progress = replace(progress, stage="end")
        with sender.transaction():
            for one in tells:
                sender.blocks([self._directory(progress, one)])
            for lane, sources in self._lanes():
                sender.blocks([self._directory(progress, Told())], self._stands(lane, sources))
            sender.offsets({lane: one.next for lane, one in self._origin.stood.items()}, self._place.intake)
            for letter in self._origin.letters:
                key, value, headers = packed(replace(letter, value=letter.message.value))
                sender.message(self._place.topics.dead, value, key, headers=headers)
            sender.progress(progress)
        return progress

    def _stands(self, lane: str, sources: Sequence[str]) -> Origin:
        """Return where a lane stands: of another cluster's where it stood there, else at its beginning."""
        there = self._origin.stood.get(lane)
        positions = self._origin.positions
        mine = {name: positions[name] for name in sources if name in positions}
        if there is None:
            return Origin(lane, 0, self._former.offset(), mine)
        return Origin(lane, there.next, self._former.offset(), there.positions or mine)

    def _lanes(self) -> list[tuple[str, list[str]]]:
        """Return the lanes that there are, or will be: a topic that is not there yet is taken to get as many
        partitions as the log has."""
        with kafka.consumer(self._place.bootstrap) as consumer:
            topics = self._place.sources
            counts = {topic: len(consumer.partitions_for_topic(topic) or ()) for topic in topics}
        every = sorted(self._shop.sources)
        return [
            (f"{topic}/{number}", sources if set(sources) <= set(every) else every)
            for topic, sources in sorted(self._place.sources.items())
            for number in range(counts[topic] or self._partitions)
        ]

    def _directory(self, progress: Progress, told: Told) -> Said:
        return self._control(progress, 0, Control(DIRECTORY, None, "{}")), [f"!{DIRECTORY}"], told

    def _control(self, progress: Progress, part: int, control: Control, later: int = 0) -> Block:
        mode = "live" if progress.live else "import"
        return replace(control_block([control], 0, progress.former + later, part), mode=mode)

    def _end(self, sender: Sender, progress: Progress, work: Path) -> tuple[Progress, int]:
        """Replay the new log, compare it, and write the cut points that are in force there."""
        work.mkdir(parents=True)
        places = Places(work / "places.sqlite", self._partitions)
        with closing(places), self._origin.deliveries(work) as deliveries:
            return self._end_with(sender, progress, work, places, deliveries)

    def _end_with(
        self, sender: Sender, progress: Progress, work: Path, places: Places, deliveries: FormerDeliveries
    ) -> tuple[Progress, int]:
        self._watch("replay", 0, 1)
        untaken = Untaken(deliveries.taken)
        replayed = Replayed.of(
            self._origin.replays(untaken), self._reader, self._place, self._partitions, work, places.take
        )
        drained = replayed.effects()
        last: list[Said] = []
        models = [one for one in replayed.shop.rfm if one.method != "fixed"]
        if models and self._origin.apart is None:  # a cluster's log has cut points among its records
            ticks = self._everywhere(progress, Control(TICK, None, "{}"))
            told = replayed.report(ticks, progress.former + 1)
            numbers = [(one, merged(one, [report[one.name] for report in told])) for one in models]
            body = canonical_body(said(progress.former + 1, numbers, history=True))
            cuts = self._everywhere(progress, Control(CUTS, None, body))
            replayed.feed(cuts)
            last = [*ticks, *cuts]
        customers = compare(replayed)
        replayed.close()
        self._watch("replay", 1, 1)
        carrying = Carrying(deliveries, self._place, self._shop, places, untaken.made)
        progress = carrying.carry(sender, progress, self._watch)
        last += [block for one in deliveries.switches for block in self._everywhere(progress, one)]
        effects = topics_of(self._place.topics.shop)
        progress = replace(progress, stage="done", drained=tuple(drained))
        with sender.transaction():
            sender.blocks(last)
            carrying.finish(sender)
            for number, count in enumerate(drained):
                for kind in effects.of_effects if count else ():
                    key, value = cursor_key(number, kind), cursor_value(count - 1)
                    sender.message(effects.drained, value, key, partition=number)
            sender.progress(progress)
        return progress, customers

    def _everywhere(self, progress: Progress, control: Control) -> list[Said]:
        """Return a control record of the minute behind the former log's last, for every partition."""
        return [
            (self._control(progress, part, control, later=1), [f"!{control.kind}"], Told())
            for part in range(self._partitions)
        ]

    def _apply(self, sender: Sender) -> None:
        """Apply the folder's settings, unless they are: now workers may start."""
        topic = self._place.topics.settings
        found = self._reader.newest(topic)
        before = Applied(0, "") if found is None else Applied.decoded(found)
        if before.shop != canonical(self._shop):
            past, minute = past_of_log(self._former), self._former.clock() or 0
            value = next_applied(before, past, self._shop, minute).encoded()
            with sender.transaction():
                sender.message(topic, value, b"settings")

