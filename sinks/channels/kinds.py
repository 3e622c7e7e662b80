"""Every kind of provider, by its settings: a new one is its file and a line here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sinks.channels.console import Console, ConsoleSettings
from sinks.channels.file import File, FileSettings
from sinks.channels.inbox import InboxProvider, InboxSettings
from sinks.channels.provider import Around, Provider
from sinks.channels.settings import ProviderSettings

AnyProvider = Annotated[ConsoleSettings | FileSettings | InboxSettings, Field(discriminator="kind")]
PROVIDERS: dict[type[ProviderSettings], Any] = {
    ConsoleSettings: Console, FileSettings: File, InboxSettings: InboxProvider,
}  # fmt: skip


def make_provider(settings: ProviderSettings, around: Around) -> Provider:
    """Return a provider as declared, not opened yet."""
    made: Provider = PROVIDERS[type(settings)](settings, around)
    return made
