"""``/v1/tags``: every tag, its rule, and how many customers hold it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from console.access import BEARER, reads
from console.problems import responses
from console.serving import Answer, Here

router = APIRouter(tags=["profiles"], dependencies=[Depends(reads)])


class TagOverview(BaseModel):
    """One tag. rule: null for a tag that is set by hand or import only."""

    name: str = Field(examples=["高价值客户"])
    title: str
    owner: str
    description: str
    rule: str | None = Field(examples=['sum(orders.amount, "365d") >= 500000'])
    group: str | None = Field(description="exclusive group", examples=["value"])
    sticky: str | None = Field(examples=["30d"])
    max: str | None
    size: int = Field(description="customers who hold it", examples=[1204])


class Tags(Answer):
    tags: list[TagOverview]


@router.get(
    "/v1/tags", openapi_extra=BEARER,
    responses=responses("key-missing", "scope-missing", "not-ready", "store-away"),
)  # fmt: skip
async def tags(serving: Here) -> Tags:
    """Return every tag with its rule and its size."""
    whole = await serving.answers.whole()
    sizes = whole.overview.tags
    fields = ("title", "owner", "description", "rule", "group", "sticky", "max")
    found: list[dict[str, Any]] = [
        {"name": name, **{field: getattr(tag, field) for field in fields}, "size": sizes.get(name, 0)}
        for name, tag in whole.shop.tags.items()
    ]
    standing = serving.standing_at(whole.clock, whole.steps)
    return Tags(**standing, tags=[TagOverview(**one) for one in found])
