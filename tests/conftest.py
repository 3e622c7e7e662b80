"""What all tests share: logs made in this process have one secret, so that customers have one order, and
equal logs are equal byte for byte."""

from __future__ import annotations

import pytest

from streams.personal import vault
from tests.called import SECRET, key_of


@pytest.fixture(autouse=True)
def _one_secret(monkeypatch):
    monkeypatch.setattr(vault, "fresh_secret", lambda: SECRET)
    monkeypatch.setattr(vault, "fresh_key", key_of)
