"""Customer attributes from personal columns: sealed wherever they are kept, opened for who may see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.metric import ALL, MetricSpec
from streams.contract.source import Source
from streams.personal.seal import about, unseal
from streams.personal.vault import Vault


def personal_attributes(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return what the seals of each personal attribute are about, by its name."""
    return {attribute: about(source, column) for attribute, source, column in _declared(sources)}


def personal_metrics(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return what the seals of each personal attribute are about, by the text of the metric that holds it."""
    return {
        MetricSpec("last", source, column, ALL).key: about(source, column)
        for _, source, column in _declared(sources)
    }


def _declared(sources: Mapping[str, Source]) -> Iterator[tuple[str, str, str]]:
    """Yield (attribute, source, column) of each personal attribute."""
    for name, source in sources.items():
        for column_name, column in source.columns.items():
            if column.personal and column.attribute:
                yield column.attribute, name, column_name


def opened(
    vault: Vault, sources: Mapping[str, Source], customer: bytes, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a customer's attributes with the personal ones readable; None where nobody can read them."""
    return opened_values(vault, personal_attributes(sources), customer, attributes)


def opened_values(
    vault: Vault, sealed: Mapping[str, str], customer: bytes, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a customer's values with the sealed ones readable; None where nobody can read them.

    sealed: what the seals are about, by the names of those values that have one.
    """
    return {
        name: unseal(vault, sealed[name], [customer], [value])[0] if name in sealed else value
        for name, value in values.items()
    }
