"""``/metrics``: the process and the shop, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console.access import BEARER, reads
from console.problems import responses
from console.serving import Here

router = APIRouter(tags=["operation"], dependencies=[Depends(reads)])


@router.get(
    "/metrics", openapi_extra=BEARER, response_class=Response,
    responses={
        200: {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses("key-missing", "scope-missing"),
    },
)  # fmt: skip
def metrics(serving: Here) -> Response:
    """Return every metric in Prometheus' text format."""
    return Response(generate_latest(serving.figures.registry), media_type=CONTENT_TYPE_LATEST)
