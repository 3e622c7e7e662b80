"""Jars of the Java servers: fetched by Maven, each checked against its hash in the repository."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from deploy.servers.debian import missing, path_of
from deploy.servers.places import DEPLOY, JARS, ROOT

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
TOOLS = ("mvn", "java")
DOWNLOADED = ROOT / ".cache" / "m2"
# A download that breaks off, or comes in part, is asked for again: so many waits, in seconds
AGAIN_AFTER_S = (2.0, 15.0)


class JarError(Exception):
    """A download that is not the one that was pinned."""


class FetchError(Exception):
    """Jars that are not here and cannot be fetched."""


def lock_file(name: str) -> Path:
    """Return the file with the hashes of a server's jars: ``sha256  file`` a line."""
    return DEPLOY / name / "jars.sha256"


def ensure(name: str) -> Path:
    """Return the folder with a server's jars, fetched if need be.

    What fails is tried again after a while, what came otherwise than pinned is downloaded again.
    Raises `JarError` if one is not as pinned, `FetchError` if they are not here and cannot be fetched.
    """
    folder = JARS / name
    if not _differences(name, folder):
        return folder
    for wait in AGAIN_AFTER_S:
        try:
            return _fetch_as_pinned(name, folder)
        except (JarError, FetchError):
            if missing(*TOOLS):
                raise
        time.sleep(wait)
    return _fetch_as_pinned(name, folder)


def _fetch_as_pinned(name: str, folder: Path) -> Path:
    fetch(name, folder)
    different = _differences(name, folder)
    if different:
        shutil.rmtree(folder)
        for file in different:  # or Maven would take the same bytes again
            for kept in DOWNLOADED.rglob(file):
                kept.unlink()
        lock = lock_file(name).relative_to(ROOT)
        raise JarError(f"{name}: not as {lock} says: {', '.join(different)}")
    return folder


def fetch(name: str, folder: Path) -> None:
    """Let Maven copy what deploy/NAME/pom.xml needs into a new folder, archives as they are."""
    lacking = missing(*TOOLS)
    if lacking:
        raise FetchError(f"{name}: no Maven or Java here: {lacking}")
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        path_of("mvn"), "--batch-mode", "--quiet", "--no-transfer-progress",
        f"-Dmaven.repo.local={DOWNLOADED}",
        "-f", str(DEPLOY / name / "pom.xml"), f"-DoutputDirectory={folder}", "-DincludeScope=runtime",
        f"{PLUGIN}:copy-dependencies",
    ]  # fmt: skip
    if "artifactItem" in (DEPLOY / name / "pom.xml").read_text(encoding="utf-8"):
        command.append(f"{PLUGIN}:copy")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FetchError(f"{name}: Maven says\n{(done.stdout + done.stderr)[-3000:]}")


def lock(name: str) -> None:
    """Fetch a server's jars and take what came as what is wanted from now on."""
    fetch(name, JARS / name)
    lines = [f"{digest}  {file}\n" for file, digest in hashes(JARS / name).items()]
    lock_file(name).write_text("".join(lines), encoding="utf-8")


def unpack(archives: Path, folder: Path) -> Path:
    """Unpack the plugin archives among the jars into a new folder, and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for archive in sorted(archives.glob("*.tar.gz")):
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*"))}


def _differences(name: str, folder: Path) -> list[str]:
    lines = [line.split() for line in lock_file(name).read_text(encoding="utf-8").splitlines()]
    pinned = {file: digest for digest, file in lines}
    found = hashes(folder)
    return sorted(file for file in {*pinned, *found} if pinned.get(file) != found.get(file))
