"""``python -m deploy.servers start|stop|status|lock [NAME]...``: what `make servers` calls."""

from __future__ import annotations

import sys
import time

from deploy.servers import jars, keeper, state
from deploy.servers.connect import variables
from deploy.servers.jars import FetchError, JarError
from deploy.servers.places import DATA
from deploy.servers.process import ServerError


def main(arguments: list[str]) -> int:
    """Do one thing; return 0: done, 1: a server did not come up, 2: a wrong call, or something is missing."""
    what, names = arguments[0] if arguments else "", arguments[1:] or list(keeper.SERVERS)
    unknown = [name for name in names if name not in keeper.SERVERS]
    if what not in ("start", "stop", "status", "lock") or unknown:
        print(
            f"usage: python -m deploy.servers start|stop|status|lock [{'|'.join(keeper.SERVERS)}]...",
            file=sys.stderr,
        )
        return 2
    if what == "stop":
        print("stopped and removed:", ", ".join(keeper.stop()) or "nothing ran")
        return 0
    if what == "lock":
        for name in ("kafka", "connect"):
            jars.lock(name)
        return 0
    if what == "start":
        lacking = keeper.missing(names)
        for name, command in lacking.items():
            print(f"{name} cannot run here: {command}", file=sys.stderr)
        if lacking:
            return 2
        began = time.monotonic()
        try:
            keeper.start(names)
        except (ServerError, FetchError, JarError) as error:
            print(error, file=sys.stderr)
            return 1
        print(f"up in {time.monotonic() - began:.0f} s; everything lies in {DATA}, each with its log")
    _show()
    return 0


def _show() -> None:
    kept = {name: one for name, one in state.read().items() if one.sound}
    for name, one in kept.items():
        secret = f"password {one.place.password}" if keeper.SERVERS[name].guarded else "no password"
        print(f"  {name:11} {one.place.address:17} {secret}")
    if "connect" in kept:
        print("for the connector files (deploy/connectors):")
        for variable, value in variables({name: one.place for name, one in kept.items()}).items():
            print(f"  export {variable}={value}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
