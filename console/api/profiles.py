"""``/v1/profiles``: one customer, or up to a thousand, from the profile store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from app.explained import Explained
from console.access import BEARER, may_see_persons, reads
from console.portrait import FIELDS, portrait
from console.problems import Problem, refuse, responses
from console.serving import Answer, Found, Here, Serving, moment
from streams.log.view import read_id
from streams.personal.attributes import personal_attributes

MOST = 1000  # customers of one request
Sees = Annotated[bool, Depends(may_see_persons)]
router = APIRouter(tags=["profiles"], dependencies=[Depends(reads)])
ERRORS = responses("key-missing", "scope-missing", "invalid-request", "store-away")


class Average(BaseModel):
    """An average, exactly: sum divided by count."""

    sum: int = Field(examples=[10050])
    count: int = Field(examples=[3])


Value = int | str | Average | None


class Unit(BaseModel):
    """What a whole number stands for: 123456 of scale 2 is 1,234.56."""

    scale: int = Field(examples=[2])
    currency: str | None = Field(examples=["CNY"])


class Window(BaseModel):
    """Event minutes from ``from`` (null: all) to before ``to``."""

    from_: dt.datetime | None = Field(alias="from")
    to: dt.datetime


class Why(BaseModel):
    """Why a tag is held: the rule, its metrics' values and windows, and the newest rows that counted."""

    rule: str
    values: dict[str, Value]
    windows: dict[str, Window]
    tags: list[str] = Field(description="other tags that the rule reads")
    rows: list[dict[str, Any]]
    more_rows: int


class Held(BaseModel):
    """A tag that is held."""

    since: dt.datetime
    until: dt.datetime | None
    manual: bool = Field(description="set by hand or import")
    why: Why | None = None


class Scores(BaseModel):
    """Recency, frequency, monetary (minor units) and scores; scores are null before the first cut points."""

    recency: int = Field(examples=[1934])
    recency_unit: str = Field(examples=["minute"])
    last_order: dt.datetime
    frequency: int = Field(examples=[7])
    monetary: int = Field(examples=[1284050])
    r: int | None = Field(examples=[5])
    f: int | None = Field(examples=[5])
    m: int | None = Field(examples=[4])
    score: int | None = Field(examples=[554])
    segment: str | None = Field(examples=["冠军客户"])


class Profile(BaseModel):
    """Everything held on one customer; only the fields that were asked for."""

    id: str = Field(examples=["5f2b6c0d9e8a4f1c8b7d6e5f4a3b2c1d"])
    references: list[str] = Field(default=[], examples=[["member:M1", "phone:13800000001"]])
    attributes: dict[str, int | bool | dt.datetime | dt.date | str | None] = {}
    withheld: list[str] = Field(
        default=[], examples=[["name"]], description="personal attributes: a key of scope personal sees them"
    )
    metrics: dict[str, Value] = Field(default={}, examples=[{"spend_365d": 1284050}])
    units: dict[str, Unit] = Field(default={}, description="of the metrics that are not plain counts")
    rfm: dict[str, Scores | None] = Field(default={}, description="by model; null outside the population")
    tags: dict[str, Held] = {}
    as_of: dt.datetime | None = Field(
        default=None, description="of this profile, where it is newer than the answer's: partitions differ"
    )


class OneProfile(Answer):
    profile: Profile


class Wanted(BaseModel):
    customers: list[str] = Field(
        max_length=MOST, description="references or ids", examples=[["member:M1", "member:M2"]]
    )
    fields: list[str] = Field(default=list(FIELDS), examples=[["metrics", "tags"]])


class ManyProfiles(Answer):
    profiles: list[Profile | None] = Field(description="in the order asked for; null where unknown")
    unknown: list[str] = Field(examples=[["member:M2"]])


@router.get(
    "/v1/profiles/{customer:path}", openapi_extra=BEARER, response_model_exclude_unset=True,
    responses={**ERRORS, **responses("unknown-customer")},
)  # fmt: skip
async def one_profile(
    serving: Here,
    customer: Annotated[str, Path(description="type:value, URL-encoded, or the id", examples=["member:M1"])],
    sees: Sees,
    fields: Annotated[str, Query(description="which parts, with commas")] = ",".join(FIELDS),
    why: Annotated[bool, Query(description="say why each tag is held; asks the engine")] = False,
) -> OneProfile:
    """Return one customer by any reference or the id; personal attributes for a key of scope personal."""
    wanted = check_fields(fields.split(","))
    identity = await find_soon(serving, customer)
    if why:
        found = await serving.answers.explained(identity)
        if found is None:
            unknown(customer)
        return await run_in_threadpool(_why, serving, found, wanted, sees)
    return await run_in_threadpool(_stored, serving, identity, wanted, customer, sees)


@router.post(
    "/v1/profiles:batch", openapi_extra=BEARER, response_model_exclude_unset=True, responses=ERRORS
)  # fmt: skip
def many_profiles(serving: Here, wanted: Wanted, sees: Sees) -> ManyProfiles:
    """Return up to 1000 customers at once."""
    fields = check_fields(wanted.fields)
    known = serving.view.customers(wanted.customers)
    found = serving.read([identity for identity in known if identity is not None])
    at = iter(range(len(found.documents)))
    places = [None if identity is None else next(at) for identity in known]
    here = [place for place, body in enumerate(found.documents) if body is not None]
    made = dict(zip(here, _profiles(serving, found, here, fields, sees), strict=True))
    profiles = [None if place is None else made.get(place) for place in places]
    unknown = [name for name, one in zip(wanted.customers, profiles, strict=True) if one is None]
    shown = {found.partitions[place] for place in here}
    return ManyProfiles(**serving.standing(found.heads, shown), profiles=profiles, unknown=unknown)


def check_fields(names: Sequence[str]) -> list[str]:
    """Return the names of fields. Raises Problem for an unknown one."""
    given = [name.strip() for name in names]
    for name in given:
        if name not in FIELDS:
            raise Problem("invalid-request", f"fields: there is no field '{name}'", f"of {', '.join(FIELDS)}")
    return given


def find_one(serving: Serving, customer: str) -> bytes:
    """Return the id (16 bytes) behind a reference or an id. Raises Problem if nobody is known by it."""
    found = serving.view.customers([customer])[0]
    if found is None:
        unknown(customer)
    return found


async def find_soon(serving: Serving, customer: str) -> bytes:
    """Return as `find_one` does: at once what an id is, without a thread."""
    identity = read_id(customer)
    return identity if identity is not None else await run_in_threadpool(find_one, serving, customer)


def unknown(customer: str) -> NoReturn:
    """Answer that nobody is known by a reference."""
    refuse(
        "unknown-customer", f"nobody is known by {customer}", "write type:value, or the id of 32 hex digits"
    )


def _stored(
    serving: Serving, identity: bytes, fields: Sequence[str], customer: str, sees: bool
) -> OneProfile:
    found = serving.read([identity])
    if found.documents[0] is None:
        unknown(customer)
    [profile] = _profiles(serving, found, [0], fields, sees)
    return OneProfile(**serving.standing(found.heads, found.partitions), profile=profile)


def _profiles(
    serving: Serving, found: Found, places: Sequence[int], fields: Sequence[str], sees: bool
) -> list[Profile]:
    """Return the profiles at some places of what was read, each of its partition's minute."""
    clocks = [found.heads[found.partitions[place]].clock for place in places]
    documents = [msgspec.json.decode(found.documents[place] or b"") for place in places]
    profiles = _shown(serving, documents, clocks, fields, sees)
    oldest = min(clocks, default=0)
    for profile, clock in zip(profiles, clocks, strict=True):
        if clock > oldest:
            profile.as_of = moment(clock)
    return profiles


def _shown(
    serving: Serving, documents: Sequence[dict[str, Any]], clocks: Sequence[int], fields: Sequence[str],
    sees: bool,
) -> list[Profile]:  # fmt: skip
    """Return documents, each of a clock, as profiles: what is personal only to who may see it."""
    customers = [bytes.fromhex(document["id"]) for document in documents]
    attributes = [document["attributes"] for document in documents]
    sealed = personal_attributes(serving.shop.sources) if "attributes" in fields else {}
    if sealed and sees:
        attributes = serving.view.opened(serving.shop.sources, customers, attributes)
    elif sealed:
        attributes = [{name: None if name in sealed else value for name, value in one.items()}
                      for one in attributes]  # fmt: skip
    references = serving.view.references(customers) if "references" in fields else []
    profiles = []
    for at, (document, clock) in enumerate(zip(documents, clocks, strict=True)):
        shown = portrait(
            serving.shop, serving.units, {**document, "attributes": attributes[at]}, clock, fields
        )
        if sealed and not sees:
            withheld = (name for name in sealed if document["attributes"].get(name) is not None)
            shown["withheld"] = sorted(withheld)
        if references:
            shown["references"] = references[at]
        profiles.append(Profile.model_validate(shown))
    return profiles


def _why(serving: Serving, found: Explained, fields: Sequence[str], sees: bool) -> OneProfile:
    """Answer with what the engine itself says."""
    [profile] = _shown(serving, [found.document], [found.clock], fields, sees)
    return OneProfile(**serving.standing_at(found.clock, found.steps), profile=profile)
