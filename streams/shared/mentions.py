"""What the log says of some customers: which rows are theirs, or were, and what is personal in them.

The index leads from a row to its customer, not back. So whoever is to be erased is looked for in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from streams.changes.wire import Incoming
from streams.contract.source import Source
from streams.identity.partition import id_list
from streams.log.block import CONTROL, decode_tables
from streams.personal.seal import about, personal_columns, unseal
from streams.personal.vault import Vault
from streams.shared.entries import unpack


class Mentions:
    """Takes messages of the log in. customers: of whom (ids of 16 bytes), more may be added before their
    messages come."""

    def __init__(self, sources: Mapping[str, Source], customers: Iterable[bytes]) -> None:
        self._sources = sources
        self.customers = set(customers)
        self._rows: dict[str, set[bytes]] = {}
        self._sealed: set[tuple[bytes, str, str]] = set()  # (customer, what it is about, sealed)

    def take(self, message: Incoming) -> None:
        """Take a message in."""
        whose = pa.array(sorted(self.customers), pa.binary(16))
        for name, table in decode_tables(message.value).items():
            if name == CONTROL:
                continue
            own = table.filter(pc.is_in(table["customer"], value_set=whose))
            if own.num_rows:
                keys = id_list(own["key_high"].to_numpy(), own["key_low"].to_numpy())
                self._rows.setdefault(name, set()).update(keys)
                self._note_personal(name, own)
        others = message.told.others
        if others:
            entries = unpack([entry for _, _, entry in others])
            of_others = id_list(entries[:, 0], entries[:, 1])
            for (name, key, _), customer in zip(others, of_others, strict=True):
                if customer in self.customers:
                    self._rows.setdefault(name, set()).add(key)

    def _note_personal(self, name: str, own: pa.Table) -> None:
        source = self._sources.get(name)
        names = [] if source is None else personal_columns(source)
        whose = own["customer"].to_pylist()
        for column in set(names) & set(own.column_names):
            held = zip(whose, own[column].to_pylist(), strict=True)
            self._sealed |= {(one, about(name, column), text) for one, text in held if text is not None}

    def rows(self) -> dict[str, list[bytes]]:
        """Return by source the keys (16 bytes) of rows that are somebody's of these, or once were."""
        return {name: sorted(keys) for name, keys in sorted(self._rows.items())}

    def personal_values(self, vault: Vault, customers: Collection[bytes]) -> set[str]:
        """Return every value that personal columns had in these customers' records, as far as it can be read.
        """
        by_what: dict[str, list[tuple[bytes, str]]] = {}
        for customer, what, sealed in self._sealed:
            if customer in customers:
                by_what.setdefault(what, []).append((customer, sealed))
        found: set[str] = set()
        for what, held in by_what.items():
            texts = unseal(vault, what, [one for one, _ in held], [sealed for _, sealed in held])
            found.update(text for text in texts if text is not None)
        return found
