"""Bad configuration is refused before anything starts, at its line, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.load import load_shop
from app.problems import ConfigError
from tests.app.little_shop import GOOD
from tests.bad_input.folders import BAD_FOLDERS, Body

MOST_ERRORS = 9  # one mistake is not told at every place that rests on it


def write(folder: Path, changes: dict[str, Body]) -> Path:
    for name, body in {**GOOD, **changes}.items():
        path = folder / name
        if body is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(body):
            body(path)
        else:
            path.write_bytes(body.encode() if isinstance(body, str) else body)
    return folder


@pytest.mark.parametrize(("what", "changes", "error"), BAD_FOLDERS, ids=[case[0] for case in BAD_FOLDERS])
def test_bad_configuration_is_refused_at_its_line(
    tmp_path: Path, what: str, changes: dict[str, Body], error: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_shop(write(tmp_path, changes))
    told = [str(one) for one in caught.value.errors]
    assert [one for one in told if one.startswith(error)], told
    assert len(told) <= MOST_ERRORS
    assert all(one.where and one.problem and one.hint for one in caught.value.errors)


def test_a_broken_tintype_toml_is_told_alone(tmp_path: Path) -> None:
    """What rests on a file that cannot be read is not wrong too."""
    with pytest.raises(ConfigError) as caught:
        load_shop(write(tmp_path, {"tintype.toml": 'name = "x'}))
    assert [one.where for one in caught.value.errors] == ["tintype.toml:1"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("nothing", "name an existing folder"), ("file", "name an existing folder"),
     ("empty", "name a folder that holds a tintype.toml"), ("toml", "name a folder that holds")],
)  # fmt: skip
def test_what_is_no_shop_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "toml" / "tintype.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match=f"is no shop's folder: {hint}"):
        load_shop(tmp_path / name)
