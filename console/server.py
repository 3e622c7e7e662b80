"""The API as an app, and the server that serves it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from console import problems
from console.api import (
    broadcasts,
    coupons,
    customers,
    decisions,
    deliveries,
    delivery_changes,
    docs,
    health,
    links,
    messages,
    metrics,
    profiles,
    receipts,
    recommendations,
    results,
    rfm,
    segment,
    sources,
    switches,
    tag_changes,
    tags,
    texts,
    triggers,
)  # fmt: skip
from console.bell import Bell
from console.event_stream import EventStreams
from console.figures import Timing
from console.heads import BoundedHead
from console.news import News
from console.origins import InboxOrigins, origins
from console.serving import Serving
from console.tokens import Tokens
from streams.errors import InputError

RELEASE = "1"  # of the API: the v1 of its paths
_BACKLOG = 2048  # connections that wait to be taken
_GRACE_SECONDS = 2  # for answers under way when the server stops
_ROUTERS = (  # a profile's path takes all that begins like it, so those of its parts come first
    recommendations.router, messages.often, messages.router, profiles.router, customers.router, rfm.router,
    tags.router, decisions.router, results.router, tag_changes.router, delivery_changes.router,
    deliveries.router, receipts.router, switches.router, triggers.router, broadcasts.router, coupons.router,
    texts.router, sources.router, segment.router, links.router, health.router, metrics.router, docs.router,
)  # fmt: skip


def build_app(serving: Serving) -> FastAPI:
    """Return the app that answers from a shop at work."""
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url="/openapi.json", redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # /metrics has what is counted
    )  # fmt: skip
    app.state.serving = serving
    app.state.tokens = Tokens(serving.keyring.folder, serving.shop.settings.name)
    app.state.news = News(serving.store.client, serving.shop.settings.name)
    app.state.streams = EventStreams(Bell(serving.effects.listen))
    problems.install(app)
    for router in _ROUTERS:  # not included, which makes each request match routers in routers
        app.router.routes += router.routes
    app.mount("/static", StaticFiles(directory=docs.STATIC))
    docs.describe(app, RELEASE)
    app.add_middleware(InboxOrigins, allowed=origins(os.environ))
    app.add_middleware(Timing, figures=serving.figures)
    return app


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there (port 0: any free one). Raises InputError if that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        # asyncio sets TCP_NODELAY only where the socket names its protocol; without it each answer that
        # goes out in two pieces waits 40 ms for the client's delayed acknowledgement.
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(host, f"is no address ({error.strerror})", "name another with --host") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        where = f"{host}:{port}"
        hint = "stop what uses it, or name another with --port" if port else "name another with --host"
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise InputError(where, f"cannot be listened on ({reason})", hint) from None
    return listening


class _Ending(uvicorn.Server):
    """Ends the streams of events as the server stops: they would hold it up, and be cut off; then lets go of
    the store."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        assert isinstance(app, FastAPI)
        app.state.streams.bell.close()
        await super().shutdown(sockets)
        await app.state.serving.gathered.close()


class Server:
    """Serves an app on a socket until `stop`, in the thread that calls `run`."""

    def __init__(self, app: FastAPI, listening: socket.socket) -> None:
        self._socket = listening
        config = uvicorn.Config(
            app, loop="uvloop", http=BoundedHead, log_level="warning", access_log=False, lifespan="off",
            server_header=False, timeout_graceful_shutdown=_GRACE_SECONDS,
        )  # fmt: skip
        self._server = _Ending(config)

    @property
    def address(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:8080``."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> None:
        """Serve. In the main thread Ctrl-C and SIGTERM end it, and then do what they do otherwise."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` return after the answers under way, in two seconds at most."""
        self._server.should_exit = True


@contextlib.contextmanager
def served(server: Server) -> Iterator[str]:
    """Serve in a thread of its own; yield the address."""
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()
