"""Every message beside the repository becomes what the checked-in table says (``cdc_outcomes.csv``)."""

from __future__ import annotations

import csv
import sys
from collections import Counter

import pytest

from tests.streams.cdc_fixtures import FOLDER
from tests.streams.cdc_outcomes import HEADINGS, TABLE, lines

pytestmark = pytest.mark.data


def test_every_message_of_every_file_has_its_known_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    if not FOLDER.is_dir():
        pytest.skip("../shared/data/cdc is not here")
    with TABLE.open(encoding="utf-8", newline="") as file:
        heading, *expected = [tuple(row) for row in csv.reader(file)]
    assert tuple(heading) == HEADINGS
    found = list(lines())
    assert [line for line in found if line not in set(expected)] == []
    assert found == expected
    counts = Counter(line[3] for line in found)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(found)} messages of {len({line[0] for line in found})} files\n")
        sys.stdout.writelines(f"{count:5} {outcome[:100]}\n" for outcome, count in counts.most_common())
