"""Routes that are asked often: without a query there is nothing to be checked before the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from console.serving import serving_of


class Plain(APIRoute):
    """A route whose endpoint is a coroutine of ``serving``, ``request``, the parts of the path as texts, and
    parameters of the query that have defaults; it asks for the key itself, and answers with a `Response`.

    To find out what an endpoint takes costs FastAPI as much as an inbox; without a query that is known.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        assert not self.dependencies, "the endpoint asks for the key"
        checked = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["query_string"]:
                await checked(scope, receive, send)
                return
            request = Request(scope, receive, send)
            found: Response = await endpoint(serving_of(request), request, **request.path_params)
            await found(scope, receive, send)

        self.app = app
