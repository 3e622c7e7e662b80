"""Logs of former releases: they come to what they came to then, or are refused with the way to go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from streams.errors import InputError
from streams.log.log import Log
from tests.upgrade.kept import DOCUMENTS, HERE, LOG, MESSAGES, copied, profiles, read

READ = ["1"]  # by the present release
REFUSED: list[str] = []


def told(release: str) -> Any:
    return json.loads((HERE / release / DOCUMENTS).read_text("utf-8"))


def test_each_release_that_was_kept_is_looked_at() -> None:
    assert sorted(READ + REFUSED) == sorted(one.parent.name for one in HERE.glob(f"*/{DOCUMENTS}"))


@pytest.mark.parametrize("release", READ)
def test_a_log_comes_to_the_documents_of_then(release: str, tmp_path: Path) -> None:
    for file in LOG:
        shutil.copy(HERE / release / file, tmp_path / file)
    with Log.open(tmp_path) as log:
        assert profiles(log, False) == told(release)["log"]


@pytest.mark.parametrize("release", READ)
def test_a_topic_comes_to_the_documents_of_then(release: str, tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for number, messages in enumerate(read(HERE / release / MESSAGES)):
        found |= copied(messages, number, tmp_path / str(number))
    assert found == told(release)["changes"]


def test_a_topic_of_another_format_is_refused_with_the_way_to_go(tmp_path: Path) -> None:
    partitions = json.loads((HERE / READ[0] / MESSAGES).read_text())
    partitions[1][3][3]["format"] = "OTk="  # 99
    file = tmp_path / MESSAGES
    file.write_text(json.dumps(partitions))
    with pytest.raises(InputError, match="changes/1/3: this is no block of format") as error:
        read(file)
    assert "use that one" in error.value.hint
