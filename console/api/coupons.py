"""``/v1/coupons``: pools of codes, what became of one, loading more, and what was redeemed."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, Path
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from console.access import BEARER, acts_by_hand, may_see_persons, reads
from console.api.deliveries import ERRORS
from console.api.profiles import find_one
from console.problems import Part, Problem, refuse, responses
from console.serving import Answer, Here, Serving
from rules.suggest import suggest
from sinks.coupons.codes import LONGEST, Code, problem_of
from sinks.coupons.counts import Standing
from sinks.coupons.redeeming import Odd, Redemption

MOST_CODES = 10_000  # of one request
_PARTS = 20  # mistakes that are told of one request
router = APIRouter(tags=["deliveries"])
READ, ACT = [Depends(reads)], [Depends(acts_by_hand)]
KNOWN = {**ERRORS, **responses("unknown-coupon")}
CHANGED = {**KNOWN, **responses("disk-full", "kafka-away", "busy")}
PoolName = Annotated[str, Path(description="of coupons.yaml", examples=["spring"])]
CodeName = Annotated[str, Path(description="the code itself", max_length=LONGEST)]


class PoolShown(BaseModel):
    """A pool: its terms, and its codes counted. No code stands in it."""

    pool: str = Field(examples=["spring"])
    title: str
    value: str
    expires: str = Field(description="a last day, or days from the claim; never when empty", examples=["30d"])
    per_customer: int | None
    warn_below: int
    triggers: list[str] = Field(description="whose messages say a code of it")
    loaded: int
    left: int = Field(description="free to be claimed")
    claimed: int
    sent: int = Field(description="of the claimed: accepted by a provider")
    redeemed: int
    expired: int = Field(description="not redeemed, and over")
    odd: dict[str, int] = Field(description="redemptions that are not as they should be, by what is odd")


class Pools(Answer):
    pools: list[PoolShown]


class PoolAnswer(Answer):
    pool: PoolShown


class Codes(BaseModel):
    model_config = ConfigDict(extra="forbid")
    codes: list[str] = Field(min_length=1, max_length=MOST_CODES, examples=[["SPRING-1A2B", "SPRING-3C4D"]])


class CodesLoaded(Answer):
    loaded: int
    known: int = Field(description="codes that the pool had already, or that stand twice in the request")


class CodeShown(Answer):
    pool: str
    claimed: dt.datetime | None
    good_until: dt.datetime | None = Field(description="the start of its last minute; null: no end")
    redeemed: dt.datetime | None
    decision: str | None = Field(description="the id of the decision that has it")
    delivery: str | None = Field(description="the state of its delivery", examples=["sent"])
    customer: str | None = Field(description="id of 32 hex digits")
    odd: list[str] = Field(description="what is strange about its being redeemed")


class Redeem(BaseModel):
    model_config = ConfigDict(extra="forbid")
    order: str = Field(
        default="", max_length=300,
        description="tells one redemption from another: the same code and order again changes nothing",
    )  # fmt: skip
    customer: str | None = Field(default=None, description="who: a reference or the id")
    at: AwareDatetime | None = Field(default=None, description="when; now where it is absent")


class Redeemed(Answer):
    odd: Odd = Field(description="what is strange about it; empty where nothing is")


@router.get("/v1/coupons", dependencies=READ, openapi_extra=BEARER, responses=ERRORS)
async def pools(serving: Here) -> Pools:
    """Return every pool of codes: its terms, what is left, claimed, sent, redeemed and over."""
    shown = [await _shown(serving, name) for name in serving.shop.coupons]
    return Pools(**await serving.standing_soon(), pools=shown)


@router.get("/v1/coupons/{pool}", dependencies=READ, openapi_extra=BEARER, responses=KNOWN)
async def pool_of(serving: Here, pool: PoolName) -> PoolAnswer:
    """Return one pool of codes."""
    _check_pool(serving, pool)
    return PoolAnswer(**await serving.standing_soon(), pool=await _shown(serving, pool))


@router.post("/v1/coupons/{pool}/codes", dependencies=ACT, openapi_extra=BEARER,
             responses=CHANGED)  # fmt: skip
async def load(serving: Here, pool: PoolName, given: Codes) -> CodesLoaded:
    """Load codes behind those that a pool has; on disk when answered. The same again loads nothing.

    A request with a code that is none loads nothing at all.
    """
    _check_pool(serving, pool)
    wrong = [
        Part(where=f"body.codes.{at}", problem=f"the code {problem}", hint="correct it")
        for at, code in enumerate(given.codes) if (problem := problem_of(code))
    ]  # fmt: skip
    if wrong:
        raise Problem("invalid-request", f"{len(wrong)} codes are none", "nothing was loaded", wrong[:_PARTS])
    done = await run_in_threadpool(serving.coupons.load, pool, given.codes, serving.now())
    return CodesLoaded(**await serving.standing_soon(), loaded=done.loaded, known=done.known)


@router.get("/v1/coupons/{pool}/codes/{code}", openapi_extra=BEARER, responses=KNOWN)
async def code_of(
    serving: Here, pool: PoolName, code: CodeName, sees: Annotated[bool, Depends(may_see_persons)]
) -> CodeShown:
    """Return what became of a code. Whose it is shows to a key of scope personal."""
    found = await _find(serving, pool, code)
    good_until = None if found.expires is None else found.expires * 60.0
    return CodeShown(
        **await serving.standing_soon(), pool=pool, claimed=_time(found.claimed),
        good_until=_time(good_until), redeemed=_time(found.redeemed), delivery=found.state,
        decision=found.decision if sees else None, customer=found.customer if sees else None,
        odd=list(found.odd),
    )  # fmt: skip


@router.post("/v1/coupons/{pool}/codes/{code}:redeem", dependencies=ACT, openapi_extra=BEARER,
             responses={**CHANGED, **responses("unknown-customer")})  # fmt: skip
async def redeem(serving: Here, pool: PoolName, code: CodeName, given: Redeem) -> Redeemed:
    """Say that a code was redeemed; on disk when answered. It is written down whatever is odd about it: the
    code was never claimed, is another customer's, was redeemed before, or is over."""
    await _find(serving, pool, code)
    whose = None if given.customer is None else await run_in_threadpool(find_one, serving, given.customer)
    at = serving.now() if given.at is None else given.at.timestamp()
    one = Redemption(pool, code, f"api {given.order}", at, None if whose is None else whose.hex())
    odd = await run_in_threadpool(serving.coupons.redeem, one)
    return Redeemed(**await serving.standing_soon(), odd=odd)


def _check_pool(serving: Serving, pool: str) -> None:
    if pool not in serving.shop.coupons:
        hint = suggest(pool, serving.shop.coupons, "pool")
        refuse("unknown-coupon", f"there is no pool of coupons '{pool}'", hint)


async def _find(serving: Serving, pool: str, code: str) -> Code:
    _check_pool(serving, pool)
    found = await run_in_threadpool(serving.coupons.find, pool, code)
    return _nobody(pool) if found is None else found


def _nobody(pool: str) -> NoReturn:
    refuse("unknown-coupon", f"pool '{pool}' has no such code", "capitals count; is it another pool's?")


async def _shown(serving: Serving, name: str) -> PoolShown:
    shop, pool = serving.shop, serving.shop.coupons[name]
    found: Standing = await run_in_threadpool(serving.coupons.standing, shop, name, serving.now())
    used = sorted(one for one, trigger in shop.triggers.items() if trigger.action.coupon == name)
    terms = pool.model_dump(include={"title", "value", "expires", "per_customer", "warn_below"})
    return PoolShown.model_validate({**terms, **asdict(found), "triggers": used})


def _time(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
