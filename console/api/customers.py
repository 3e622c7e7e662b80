"""``POST /v1/customers/{customer}:erase`` and ``:export``: a person's rights."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from console.access import BEARER, handles_persons
from console.api.profiles import find_one
from console.problems import responses
from console.serving import Answer, Here

router = APIRouter(tags=["persons"], dependencies=[Depends(handles_persons)])
ERRORS = responses(
    "key-missing", "scope-missing", "unknown-customer", "not-ready", "store-away", "kafka-away",
    "busy", "stopping",
)  # fmt: skip
Customer = Annotated[str, Path(description="type:value, URL-encoded, or the id", examples=["member:M1"])]


class ErasedCustomer(Answer):
    """What was erased. Nobody is known by the references any more, and what was sealed cannot be read."""

    customer: str = Field(examples=["5f2b6c0d9e8a4f1c8b7d6e5f4a3b2c1d"])
    references: int = Field(examples=[2])
    rows: int = Field(description="rows that counted until now", examples=[31])
    dead_letters: int
    rejected_rows: int = Field(description="rows in lists of imports")
    profile_gone: bool = Field(description="false while a cluster's store still has the profile: workers lag")


class ExportedCustomer(Answer):
    """Everything held on one customer, readable."""

    export: dict[str, Any]


@router.post("/v1/customers/{customer:path}:erase", openapi_extra=BEARER, responses=ERRORS)
async def erase_customer(serving: Here, customer: Customer) -> ErasedCustomer:
    """Erase a customer: profile, references, keys, dead letters. Done when answered; it cannot be undone.

    Sent again it answers that nobody is known. Whoever comes with the same reference later is new.
    """
    serving.work.check_ready()
    found = await run_in_threadpool(lambda: serving.rights.erase(find_one(serving, customer)))
    return ErasedCustomer(
        **await serving.standing_soon(), customer=found.customer, references=len(found.references),
        rows=found.rows, dead_letters=found.dead_letters, rejected_rows=found.rejected_rows,
        profile_gone=found.profile_gone,
    )  # fmt: skip


@router.post("/v1/customers/{customer:path}:export", openapi_extra=BEARER, responses=ERRORS)
def export_customer(serving: Here, customer: Customer) -> ExportedCustomer:
    """Return everything held on one customer: references, profile, every record, decisions."""
    standing, identity = serving.standing(), find_one(serving, customer)
    return ExportedCustomer(**standing, export=serving.rights.export(identity))
