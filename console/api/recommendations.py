"""``/v1/profiles/{customer}/recommendations/{slot}``: the items of a slot for one customer."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from msgspec import Raw
from msgspec.json import encode
from pydantic import BaseModel, Field

from console.access import BEARER, reads
from console.api.profiles import find_soon, unknown
from console.plain import Plain
from console.problems import Problem, refuse, responses
from console.serving import Answer, Here, Serving, moment, written
from rules.suggest import suggest
from sinks.recommendations.answer import items_of
from sinks.recommendations.declaration import Slot
from sinks.recommendations.serving import Counter, NoSuchCustomer, NotTrained, Served

router = APIRouter(tags=["recommendations"], route_class=Plain)
Titles = dict[str, str]
ERRORS = responses(
    "key-missing", "scope-missing", "unknown-customer", "unknown-slot", "invalid-request", "not-ready",
    "store-away",
)  # fmt: skip


class Because(BaseModel):
    """Why an item is there. act, item and title: what the customer did, with which item; null and empty where
    it is popular."""

    act: str | None = Field(examples=["bought"])
    item: str | None = Field(examples=["A7"])
    title: Titles = Field(examples=[{"zh": "龙井", "en": "Longjing tea"}])
    text: Titles = Field(examples=[{"zh": "因为您买过龙井", "en": "Because you bought Longjing tea"}])


class Item(BaseModel):
    """An item, with what the catalogue has of it; what it has not is empty."""

    id: str = Field(examples=["B2"])
    title: Titles = Field(description="by language", examples=[{"zh": "白茶", "en": "White tea"}])
    category: str = Field(examples=["茶"])
    price: str = Field(description="as the catalogue writes it", examples=["128.00"])
    image: str
    link: str
    strategy: str = Field(description="which offered it: similar, again, popular ...", examples=["similar"])
    because: Because | None = Field(default=None, description="absent where the slot gives no reasons")


class Trained(BaseModel):
    """What the answer was made from."""

    version: str = Field(examples=["9d0c1f5e2b6c0d9e"])
    trained: dt.datetime
    as_of: dt.datetime = Field(description="the minute of the newest row that similarity knows")
    refreshed: dt.datetime = Field(description="when customers' rows, consents and the catalogue were read")


class Recommended(Answer):
    slot: str = Field(examples=["home"])
    title: Titles = Field(examples=[{"zh": "猜你喜欢", "en": "For you"}])
    personalised: bool = Field(
        description="false: what is popular with all, because this customer must not be personalised"
    )
    items: list[Item]
    model: Trained


@router.get(
    "/v1/profiles/{customer:path}/recommendations/{slot}", openapi_extra=BEARER, responses=ERRORS,
    response_model=Recommended,
)  # fmt: skip
async def recommendations(
    serving: Here, request: Request,
    customer: Annotated[str, Path(description="type:value, URL-encoded, or the id", examples=["member:M1"])],
    slot: Annotated[str, Path(description="of recommendations.yaml", examples=["home"])],
    personalised: Annotated[
        bool, Query(description="false: what is popular with all, whatever the slot would do")
    ] = True,
) -> Response:
    """Return the items of a slot for a customer, best first; fewer where its rules leave no more."""
    await reads(request)
    counter, declared = _slot(serving, slot)
    identity = await find_soon(serving, customer)
    try:
        served = await counter.serve_gathered(serving.gathered, slot, identity, personalised)
    except NoSuchCustomer:
        unknown(customer)
    except NotTrained as error:
        hint = "it is trained once history has rows of interest; try again in a moment"
        raise Problem("not-ready", f"recommendations: {error}", hint) from None
    return written(_body(serving, slot, declared, served))


def _slot(serving: Serving, name: str) -> tuple[Counter, Slot]:
    counter = serving.slots
    if counter is None:
        refuse("unknown-slot", f"there is no slot '{name}'", "declare slots in recommendations.yaml")
    declared = counter.slot(name)
    if declared is None:
        refuse("unknown-slot", f"there is no slot '{name}'", suggest(name, counter.declared.slots, "slot"))
    return counter, declared


def _body(serving: Serving, name: str, declared: Slot, served: Served) -> dict[str, Any]:
    at = served.standing
    return {
        **serving.standing(served.heads, [served.partition]),
        "slot": name, "title": declared.title, "personalised": served.personalised,
        "items": items_of(served, declared),
        "model": _model(at.model, at.trained, served.shelf.model.as_of, at.refreshed),
    }  # fmt: skip


@lru_cache(16)
def _model(version: str, trained: float, as_of: int, refreshed: float) -> Raw:
    """Return `Trained` as JSON: it is the same for all until customers are read again."""
    return Raw(encode({
        "version": version, "trained": dt.datetime.fromtimestamp(trained, dt.UTC), "as_of": moment(as_of),
        "refreshed": dt.datetime.fromtimestamp(refreshed, dt.UTC),
    }))  # fmt: skip
