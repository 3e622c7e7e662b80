"""The files of a shop's folder: which there are, and which do not belong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.documents.document import Document
from app.problems import Problems
from app.shop import Shop
from app.timelines.timeline import Timeline
from rules.suggest import suggest

KINDS = ("sources", "tags", "triggers")  # folders of the shop with one file for each name
SINGLE = ("metrics.yaml", "rfm.yaml", "channels.yaml", "coupons.yaml", "recommendations.yaml")
TEST = ".test.yaml"


@dataclass
class Folder:
    """A shop's folder, read: the shop, the documents that errors point into, and the timelines.

    documents: by file name inside the folder, such as ``tags/vip.yaml``. timelines: (kind, name of the
    rule) to the timeline beside it; kind is ``tags`` or ``triggers``. names: kind to the names that have a
    file, also one that cannot be read: what points to it is not wrong too. settings_are_read: False where
    tintype.toml is wrong, which is told there.
    """

    path: Path
    shop: Shop
    documents: dict[str, Document]
    timelines: dict[tuple[str, str], Timeline] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    settings_are_read: bool = True

    def where(self, label: str, *place: str | int) -> str:
        """Return ``file:line`` of a value in the document ``label``."""
        document = self.documents.get(label)
        return document.where(place) if document else f"{label}:1"


def declared_files(root: Path, kind: str, problems: Problems) -> dict[str, Path]:
    """Return name to path of the files of one kind, in alphabetical order; test files are left out."""
    found: dict[str, Path] = {}
    folder = root / kind
    if folder.exists() and not folder.is_dir():
        problems.add(f"{kind}:1", "is a file", f"make it a folder with one file for each of the {kind}")
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.name.endswith(TEST) or path.name.startswith(".") or path.suffix in (".md", ".txt"):
            continue
        label = f"{kind}/{path.name}"
        if path.is_dir():
            problems.add(f"{label}:1", "a folder inside a folder", f"put the files directly into {kind}/")
        elif path.suffix != ".yaml":
            problems.add(f"{label}:1", "is no .yaml file", f"name it {path.stem}.yaml or take it away")
        else:
            found[path.stem] = path
            check_name(kind, path.stem, label, problems)
    return found


def timeline_files(root: Path, kind: str) -> dict[str, Path]:
    """Return name of the rule to the path of its timeline."""
    folder = root / kind
    if not folder.is_dir():
        return {}
    return {path.name.removesuffix(TEST): path for path in sorted(folder.glob(f"*{TEST}"))}


def check_name(kind: str, name: str, label: str, problems: Problems) -> None:
    """A source's name is an identifier, since rules name it; other names only avoid quotes and colons."""
    if kind == "sources":
        if not name.isidentifier():
            problems.add(
                f"{label}:1", f"'{name}' is no name", "use letters, digits and _; begin with a letter"
            )
    elif not name.isprintable() or any(sign in name for sign in "\"'`\\:/") or name != name.strip():
        problems.add(f"{label}:1", f"'{name}' is no name", "use no quotes, colons, slashes or outer blanks")


def check_strangers(root: Path, problems: Problems) -> None:
    """A misspelt file or folder would silently mean nothing, so it is an error."""
    known = ("tintype.toml", *SINGLE, *KINDS)
    for path in sorted(root.iterdir()):
        looks_meant = path.suffix in (".yaml", ".yml", ".toml") or (path.is_dir() and _holds_yaml(path))
        if looks_meant and path.name not in known and not path.name.startswith("."):
            problems.add(
                f"{path.name}:1", "does not belong into a shop's folder", suggest(path.name, known, "file")
            )


def _holds_yaml(folder: Path) -> bool:
    return any(folder.glob("*.yaml")) or any(folder.glob("*.yml"))
