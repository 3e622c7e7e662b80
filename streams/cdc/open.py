"""Opens the decoder of a source's change messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.cdc.canal import CanalDecoder
from streams.cdc.change import ChangeDecoder
from streams.cdc.debezium import DebeziumDecoder
from streams.cdc.fields import Field, wanted_fields
from streams.cdc.maxwell import MaxwellDecoder
from streams.contract.source import CHANGE_FORMATS, Source
from streams.errors import InputError

_DECODERS: dict[str, Callable[[Source, Sequence[Field]], ChangeDecoder]] = {
    "debezium": DebeziumDecoder, "canal": CanalDecoder, "maxwell": MaxwellDecoder,
}


def open_decoder(source: Source) -> ChangeDecoder:
    """Return the decoder of a source by its ``format.type``.

    Raises InputError if the format is none of change messages, or the source's columns do not say how
    they are written.
    """
    decoder = _DECODERS.get(source.format.type)
    if decoder is None:
        raise InputError(
            f"sources/{source.name}.yaml",
            f"format.type {source.format.type} is none of change messages",
            f"declare {', '.join(CHANGE_FORMATS)}",
        )
    return decoder(source, wanted_fields(source))
