"""``/docs`` and ``/openapi.json``: the API described, without a resource from another host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Response
from fastapi import Path as PathPart
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from console import asyncapi
from console.access import SCHEMES
from console.problems import KINDS, MEDIA_TYPE, Part, ProblemDocument, refuse

STATIC = Path(__file__).resolve().parent.parent / "static"
# What the page may load: its own files; Swagger UI sets styles and shows icons written into its style sheet.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
DESCRIPTION = """\
A live portrait of every customer of a shop. Every answer says how old it is: `as_of` (the minute, in UTC),
`position` (records applied, one number a partition) and `lag_ms`. Money is whole minor units. Errors are
problem documents (RFC 9457).
"""
router = APIRouter(tags=["operation"])


class Kind(BaseModel):
    """A kind of problem, by the last part of its type."""

    code: str = Field(examples=["unknown-customer"])
    status: int = Field(examples=[404])
    title: str = Field(examples=["No customer is known by this reference"])


@router.get("/docs", include_in_schema=False)
async def page() -> FileResponse:
    """Return the page that shows the API and lets it be tried."""
    return FileResponse(STATIC / "docs.html", headers={"Content-Security-Policy": POLICY})


@router.get("/asyncapi.yaml", include_in_schema=False)
async def events() -> Response:
    """Return the AsyncAPI document of the shop's events."""
    return Response(asyncapi.text(), media_type="application/yaml")


@router.get("/problems/{code}")
async def problem(code: Annotated[str, PathPart(examples=["unknown-customer"])]) -> Kind:
    """Say what a kind of problem is: where the `type` of a problem document leads to."""
    if code not in KINDS:
        refuse("not-found", f"there is no problem '{code}'", f"the kinds are {', '.join(KINDS)}")
    status, title = KINDS[code]
    return Kind(code=code, status=status, title=title)


def describe(app: FastAPI, release: str) -> None:
    """Let ``app.openapi`` tell of keys and of problem documents instead of FastAPI's own errors."""

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            found = get_openapi(title="Tintype", version=release, description=DESCRIPTION, routes=app.routes)
            schemas = found["components"]["schemas"]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            _, own = models_json_schema(
                [(ProblemDocument, "serialization"), (Part, "serialization")],
                ref_template="#/components/schemas/{model}",
            )
            schemas |= own["$defs"]
            found["components"]["securitySchemes"] = SCHEMES
            for operations in found["paths"].values():
                for operation in operations.values():
                    _tell_of_problems(operation)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _tell_of_problems(operation: dict[str, dict[str, object]]) -> None:
    body = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    if "422" in operation["responses"]:
        operation["responses"]["422"] = {"description": KINDS["invalid-request"][1], "content": body}
