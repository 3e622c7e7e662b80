"""What a relay to topics meets: brokers that are away, and a newer owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError, ProducerFenced

from streams.errors import InputError


class Away(InputError):
    """Kafka does not answer, or refuses. What was being written is in as a whole, or not: the cursor says."""


class Fenced(Exception):
    """Another relay has this partition now; this one must stop."""


@contextmanager
def away(bootstrap: str) -> Iterator[None]:
    """Tell errors of Kafka as what they mean to a relay."""
    try:
        yield
    except ProducerFenced as error:
        raise Fenced("another relay writes this partition's effects now") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise Away(
            bootstrap, f"Kafka does not take effects ({type(error).__name__}: {error})",
            "see to the brokers; nothing is lost: effects wait in the outbox",
        ) from error  # fmt: skip
