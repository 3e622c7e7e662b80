"""What a tag is: a named fact about a customer, with the rule that decides it."""

from __future__ import annotations

from pydantic import Field

from profiles.declare import Declared


class Tag(Declared):
    """A tag (semantics G1 to G5). ``rule`` is absent for a tag that only hands or imports set."""

    name: str = ""
    title: str = ""
    owner: str = ""
    description: str = ""
    rule: str | None = None
    group: str | None = Field(
        default=None, description="exclusive group; its order stands in tintype.toml [groups]"
    )
    sticky: str | None = Field(default=None, description="length that membership outlives truth")
    max: str | None = Field(
        default=None, description="longest membership; re-entry needs truth to have been false"
    )
