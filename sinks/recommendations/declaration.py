"""What recommendations.yaml declares: the catalogue, what counts as interest, and the slots."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.declare import Declared

Language = Literal["zh", "en"]
Act = Literal["bought", "added", "liked", "viewed"]
BOUGHT: Act = "bought"
SIMILAR, AGAIN, POPULAR = "similar", "again", "popular"
IN_SEGMENT, IN_TAG = "popular in segment ", "popular in tag "


class Catalogue(Declared):
    """Where items are described: a source, whose newest row of an item counts, or a file. Either names its
    columns. An item that it does not have is never offered."""

    source: str = Field(default="", description="a source of this shop; or else `file`")
    file: str = Field(default="", description="CSV, Excel, Parquet or JSON lines, from the shop's folder")
    item: str = Field(description="column of the item's id")
    title: dict[Language, str] = Field(default={}, description="language to the column of the title")
    category: str = ""
    price: str = ""
    stock: str = Field(default="", description="column of how many there are, or of whether there are any")
    margin: str = Field(default="", description="column of the margin in percent of the price")
    image: str = ""
    link: str = ""


class Interest(Declared):
    """Rows of a source that show interest in an item."""

    source: str
    item: str = Field(description="column of the item's id: a text or a whole number")
    act: Act = Field(default=BOUGHT, description="what such a row says: bought, added, liked or viewed")
    weight: int = Field(default=1, ge=1, le=1000, description="how much one row counts against other acts")
    where: str | None = Field(default=None, description="a rule over the row's columns; others do not count")
    half_life: str = Field(default="60d", description="after this long a row counts half")


class Rules(Declared):
    """What may stand in a slot."""

    in_stock: bool = Field(default=False, description="leave out what there is none of, or is not known of")
    not_bought_within: str | None = Field(
        default=None, description="leave out what this customer bought in the last such length"
    )
    categories: list[str] = Field(default=[], description="these only")
    not_categories: list[str] = Field(default=[], description="none of these")
    min_margin: int | None = Field(default=None, ge=-1000, le=100, description="percent; unknown is left out")
    max_per_category: int | None = Field(default=None, ge=1, description="at most so many of one category")


class Personalised(Declared):
    """Who may be personalised; everybody else gets what is popular with all."""

    consent: str | None = Field(
        default=None, description="channel/purpose that must be granted, such as web/personalisation"
    )
    unless_tag: str | None = Field(default=None, description="a tag that refuses it")


class Slot(Declared):
    """One place on a page or in a message that holds recommended items."""

    title: dict[Language, str] = Field(default={}, description="language to title")
    count: int = Field(default=10, ge=1, le=50)
    strategies: list[str] = Field(
        default=[SIMILAR, POPULAR], min_length=1,
        description="in this order, each fills what those before left open: similar (to what the customer "
        "showed interest in), again (what they bought before), popular, 'popular in segment NAME' or "
        "'popular in tag NAME' (for its members)",
    )  # fmt: skip
    rules: Rules = Rules()
    personalised: Personalised = Field(default=Personalised(), description="who may be; all when absent")
    reasons: bool = Field(default=True, description="say why each item is there")


class Recommendations(Declared):
    """``recommendations.yaml``."""

    catalogue: Catalogue | None = None
    interests: list[Interest] = Field(min_length=1)
    train_every: str = Field(default="6h", description="how often similarity and popularity are made anew")
    refresh_seconds: int = Field(
        default=30, ge=1, le=3600, description="how often customers' rows, consents and catalogue are read"
    )
    slots: dict[str, Slot] = Field(min_length=1)

    def lists(self) -> list[tuple[str, str, str]]:
        """Return (strategy, kind, name) of each list of what is popular with some: kind is segment or tag."""
        found: dict[str, tuple[str, str, str]] = {}
        for slot in self.slots.values():
            for strategy in slot.strategies:
                for before, kind in ((IN_SEGMENT, "segment"), (IN_TAG, "tag")):
                    if strategy.startswith(before):
                        found[strategy] = (strategy, kind, strategy.removeprefix(before))
        return list(found.values())

    def consents(self) -> list[str]:
        """Return the consents that some slot asks for, as channel/purpose."""
        asked = (slot.personalised.consent for slot in self.slots.values())
        return sorted({consent for consent in asked if consent is not None})
