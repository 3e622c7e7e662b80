"""``/v1/rfm``: each model's grid of recency and frequency, cut points in force, and segments."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.pages.amounts import money_type
from console.access import BEARER, reads
from console.problems import responses
from console.serving import Answer, Here, moment
from engine.overview import ModelOverview
from rfm.model import RfmModel

router = APIRouter(tags=["profiles"], dependencies=[Depends(reads)])


class Cell(BaseModel):
    """Customers of one score of recency and one of frequency. monetary: minor units."""

    r: int = Field(examples=[5])
    f: int = Field(examples=[4])
    customers: int = Field(examples=[310])
    monetary: int = Field(examples=[18422050])


class CutPoints(BaseModel):
    """The cut points in force, rising. minute: when they were taken; null where they are given."""

    minute: dt.datetime | None
    recency: list[int] = Field(
        description="least recency, in the model's unit, of each lower score",
        examples=[[1440, 10080, 43200, 129600]],
    )
    frequency: list[int] = Field(description="least value of each higher score", examples=[[2, 3, 5, 9]])
    monetary: list[int] = Field(
        description="least value of each higher score, minor units", examples=[[5000, 12000, 40000, 110000]]
    )


class SegmentSize(BaseModel):
    name: str = Field(examples=["冠军客户"])
    customers: int = Field(examples=[420])
    monetary: int = Field(description="minor units", examples=[9120000])


class Model(BaseModel):
    """One RFM model. customers: its population."""

    name: str = Field(examples=["rfm"])
    window: str = Field(examples=["365d"])
    method: str = Field(examples=["quantiles"])
    recency_unit: str = Field(examples=["minute"])
    customers: int = Field(examples=[2210])
    cut_points: CutPoints | None
    grid: list[Cell]
    segments: list[SegmentSize]


class Rfm(Answer):
    """scale and currency say what the minor units of monetary are."""

    currency: str | None = Field(examples=["CNY"])
    scale: int = Field(examples=[2])
    models: list[Model]


@router.get(
    "/v1/rfm", openapi_extra=BEARER,
    responses=responses("key-missing", "scope-missing", "not-ready", "store-away"),
)  # fmt: skip
async def rfm(serving: Here) -> Rfm:
    """Return every RFM model: its grid, cut points and segments."""
    whole = await serving.answers.whole()
    money = money_type(whole.shop)
    declared = {model.name: model for model in whole.shop.rfm}
    return Rfm(
        **serving.standing_at(whole.clock, whole.steps), currency=money.currency, scale=money.scale or 0,
        models=[_model(declared[one.name], one) for one in whole.overview.models],
    )  # fmt: skip


def _model(declared: RfmModel, found: ModelOverview) -> Model:
    cuts = found.cuts
    return Model(
        name=declared.name, window=declared.window, method=declared.method,
        recency_unit=declared.recency_unit,
        customers=sum(map(sum, found.customers)),
        cut_points=None if cuts is None else CutPoints(
            minute=None if cuts.minute is None else moment(cuts.minute),
            recency=cuts.recency, frequency=cuts.frequency, monetary=cuts.monetary,
        ),
        grid=[
            Cell(r=r, f=f, customers=size, monetary=sum_)
            for r, row in enumerate(zip(found.customers, found.money, strict=True), start=1)
            for f, (size, sum_) in enumerate(zip(*row, strict=True), start=1)
        ],
        segments=[
            SegmentSize(name=name, customers=size, monetary=sum_) for name, size, sum_ in found.segments
        ],
    )  # fmt: skip
