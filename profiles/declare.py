"""The one base of everything that a shop's folder declares."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """A frozen piece of configuration with strict keys (an unknown key is an error)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
