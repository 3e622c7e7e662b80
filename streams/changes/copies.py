"""Copies of a cluster's log for whoever looks at it from outside: partitions, read from the topic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from streams.changes.copy import Copy
from streams.changes.reading import fetches, messages
from streams.changes.topics import Topics
from streams.errors import InputError
from streams.log.lock import WrittenElsewhere


class Copies:
    """Copies of some partitions in a folder, a cache: what is there is not read again. To be closed."""

    def __init__(
        self, bootstrap: str, topics: Topics, folder: Path, secret: bytes, partitions: Sequence[int]
    ) -> None:  # fmt: skip
        self._bootstrap, self._topics = bootstrap, topics
        self.folder = folder
        self.copies: dict[int, Copy] = {}
        try:
            for one in partitions:
                self.copies[one] = Copy(folder / f"{one:03d}", topics.shop, one, secret)
        except WrittenElsewhere as error:
            self.close()
            hint = "wait for its end, or name another folder with --data"
            raise InputError(str(folder), "another process reads the log into this folder", hint) from error

    def catch_up(self) -> None:
        """Read all that is committed in the topic by now. Raises InputError where it cannot be read."""
        topic = self._topics.changes
        begin = {number: copy.next_offset for number, copy in self.copies.items()}
        for number, records in fetches(self._bootstrap, topic, begin):
            self.copies[number].add(messages(topic, number, records))

    def close(self) -> None:
        """Close the files."""
        for copy in self.copies.values():
            copy.close()

    def __enter__(self) -> Copies:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
