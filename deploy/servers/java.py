"""The command of a Java server of the tests: small, and quick to be up rather than quick in the long run."""

from __future__ import annotations

from pathlib import Path

from deploy.servers.debian import path_of

# The first compiler and one collector thread: a broker is up in half the time on two cores.
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Djava.awt.headless=true")
TIMES = "-Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"


def java(jars: Path, main_class: str, *arguments: str, memory: str = "512m") -> list[str]:
    """Return the command that runs a class of the jars of a folder."""
    return [
        path_of("java"),
        f"-Xmx{memory}",
        *QUICK,
        *TIMES.split(),
        "-cp",
        f"{jars}/*",
        main_class,
        *arguments,
    ]


def properties(shared: Path, here: dict[str, str | Path]) -> str:
    """Return a server's settings: the shared file, and behind it what depends on the place."""
    lines = [f"{name}={value}" for name, value in here.items()]
    return "\n".join([shared.read_text(encoding="utf-8"), *lines, ""])
