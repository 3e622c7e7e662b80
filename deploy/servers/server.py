"""What the keeper asks of a server. Each has one file in this folder."""

from __future__ import annotations

from typing import Protocol

from deploy.servers.places import Place


class Server(Protocol):
    """One server.

    ``after`` names those that must answer before it starts; ``ports`` those besides its clients'; ``guarded``
    says whether clients need the place's password.
    """

    name: str
    after: tuple[str, ...]
    ports: tuple[str, ...]
    guarded: bool

    def missing(self) -> str | None:
        """Return what this machine lacks and the command that brings it, or None."""

    def prepare(self, place: Place) -> None:
        """Write its settings and empty data into its folder."""

    def command(self, place: Place) -> list[str]:
        """Return the command that runs it in the foreground."""

    def environment(self, place: Place) -> dict[str, str]:
        """Return the variables it sees besides the usual ones."""

    def answers(self, place: Place) -> bool:
        """Tell whether it serves clients, once it listens. Raises nothing for a server that is not ready."""
