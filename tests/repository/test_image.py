"""Dockerfile: what the product imports is in the image, nothing else, and it runs without rights."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COPIED = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
LEFT_OUT = {"bench"}  # `tintype bench` measures the machine of a developer


def own_imports(room: str) -> set[str]:
    """Return the top-level packages of this repository that a package imports."""
    found: set[str] = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return {name for name in found if (ROOT / name).is_dir()}


def test_every_package_that_the_product_imports_is_in_the_image() -> None:
    wanted = {name for room in COPIED for name in own_imports(room)} | {"app"}
    assert wanted - LEFT_OUT == COPIED


def test_the_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert IGNORE[1] == "*"
    assert sorted(line[1:] for line in IGNORE if line.startswith("!")) == sorted(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_both_stages_have_one_pinned_base_and_one_processor() -> None:
    """The kernel's code is found again only by the same processor, at the same path."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0])
    for said in (r"ARG CPU=\S+", r"NUMBA_CPU_NAME=\$CPU NUMBA_CPU_FEATURES=\"\""):
        assert len(set(re.findall(said, DOCKERFILE))) == 1
        assert len(re.findall(said, DOCKERFILE)) == 2
    assert "COPY --from=build /opt/tintype /opt/tintype" in DOCKERFILE


def test_packages_are_compared_with_their_hashes_and_both_kernels_are_compiled() -> None:
    assert "--require-hashes --only-binary :all: -r requirements/run.txt" in DOCKERFILE
    assert "-m engine.warm" in DOCKERFILE
    assert "-m streams.scan.warm" in DOCKERFILE


def test_it_runs_without_rights_and_holds_no_secret() -> None:
    user = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert user
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user[-1])
    assert not re.search(r"PASSWORD|SECRET|TOKEN", DOCKERFILE)
