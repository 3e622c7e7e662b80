"""A channel of channels.yaml: its texts, which reference it writes to, and who carries its messages out."""

from __future__ import annotations

from pydantic import Field

from profiles.declare import Declared
from sinks.channels.console import ConsoleSettings
from sinks.channels.kinds import AnyProvider
from sinks.channels.settings import ChannelLimit
from sinks.texts.words import Template


class Channel(Declared):
    """One channel. Of several providers the first that takes messages is used."""

    address: str = Field(
        default="", description="type of the reference that is written to, such as phone; any when empty"
    )
    templates: dict[str, Template] = Field(
        default={}, description="name to text; or to text, title and link; or language to either"
    )
    expires: str = Field(default="1d", description="length after which a message is not sent any more")
    limits: list[ChannelLimit] = Field(
        default=[], description="over all its providers, beside the limits of each"
    )
    providers: list[AnyProvider] = Field(
        default=[ConsoleSettings()], min_length=1, description="in the order of preference"
    )

    @property
    def replays(self) -> bool:
        """Whether what it has sent may be sent again, since whoever gets it knows it by its id."""
        return all(one.replays for one in self.providers)
