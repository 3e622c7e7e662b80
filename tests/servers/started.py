"""A real server for tests, started by the first that needs it; one that cannot run says what brings it."""

from __future__ import annotations

from deploy.servers import keeper
from deploy.servers.jars import FetchError
from deploy.servers.places import Place
from tests.absent import absent
from tests.servers.owner import owner


def server(name: str) -> Place:
    """Return where a server is. Where it cannot run the test is skipped; under CI=true it fails."""
    lacking = keeper.missing([name])
    said = "; ".join(f"{one} is not here: {command}" for one, command in lacking.items())
    try:
        if not said:
            return keeper.start([name], owner())[name]
    except FetchError as error:
        said = f"{error}; `make servers` fetches it"
    absent(said)
