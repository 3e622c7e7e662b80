"""What customers are known by in the logs that tests make: all have one secret (`tests.conftest`)."""

from __future__ import annotations

import hashlib

import xxhash

SECRET = bytes(range(32))


def hidden(reference: str) -> str:
    """Return how a log has a reference ``type:value`` (semantics P7)."""
    digest = hashlib.blake2b(reference.encode(), digest_size=16, key=SECRET, person=b"reference")
    return f"{reference.partition(':')[0]}:{digest.hexdigest()}"


def id_of(reference: str) -> str:
    """Return the id, 32 hex digits, of the customer whose first reference this is (semantics W1)."""
    return xxhash.xxh3_128_hexdigest(hidden(reference).encode())


def key_of(customer: bytes) -> bytes:
    """Return the key that a customer of a test's log gets."""
    return hashlib.blake2b(customer, digest_size=32).digest()
