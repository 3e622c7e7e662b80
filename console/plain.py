"""Routes that are asked often: without a query there is nothing to be checked before the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from console.serving import serving_of


class Plain(APIRoute):
    """A route whose endpoint is a coroutine of ``serving``, ``request``, the parts of the path as texts, and
    parameters of the query that have defaults; it asks for the key itself, and answers with a `Response`.

    To find out what an endpoint takes costs FastAPI as much as an inbox; without a query that is known.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        assert not self.dependencies, "the endpoint asks for the key"

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return what answers a request."""
        checked, endpoint = super().get_route_handler(), self.endpoint

        async def handler(request: Request) -> Response:
            if request.scope["query_string"]:
                return await checked(request)
            found: Response = await endpoint(serving_of(request), request, **request.path_params)
            return found

        return handler
