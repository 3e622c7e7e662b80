"""``tintype worker``: one worker of a cluster; add as many as wanted."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.output import print_json


def worker(
    shop: ShopFolder,
    data: Annotated[
        Path | None, typer.Option("--data", help="folder of this worker's copies of the log, a cache")
    ] = None,
    metrics: Annotated[
        int, typer.Option("--metrics", min=0, max=65535, help="port of its Prometheus metrics; 0 for none")
    ] = 0,
    metrics_host: Annotated[
        str, typer.Option("--metrics-host", help="address that the metrics are served on")
    ] = "127.0.0.1",
    verbose: Annotated[bool, typer.Option("--verbose", help="also say what goes well")] = False,
    json: Json = False,
) -> int:
    """Run a worker of the cluster form: read the sources' topics, own partitions of the log, keep the store.

    A Faust worker. It goes by the settings that were applied last (`tintype apply`). Ctrl-C and kill are safe
    at any moment: what it had is taken over by the others, or by its next start.
    """
    from dataclasses import replace

    import faust

    from app.embedded import spare_the_collector
    from app.replay import canonical, settings_body
    from app.shop import Shop
    from app.worker.application import application
    from app.worker.metrics import serve
    from app.worker.place import at_places_of, cluster_place
    from app.worker.worker import Worker, applied_settings
    from engine.warm import load
    from streams.scan.warm import compile_scanner

    signal.signal(signal.SIGTERM, _leave)  # until Faust has a handler of its own
    declared = load_shop(shop)
    place = cluster_place(shop, declared)
    if data is not None:
        place = replace(place, data=data)
    applied = applied_settings(place)
    if applied.shop != canonical(declared):
        sys.stderr.write(
            "the folder differs from what was applied, which holds; apply it: tintype apply SHOP\n"
        )
    version = Shop.model_validate_json(applied.shop)
    for library in ("aiokafka", "kafka", "mode"):  # Faust's set-up lets them tell of every request and timer
        logging.getLogger(library).setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)  # it warns of itself on a busy machine
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)  # what it meets is raised too
    sys.stderr.write(
        f"{version.settings.name}: settings number {applied.number}, {version.settings.partitions} "
        f"partitions, {len(place.sources)} topics of sources; Ctrl-C ends it\n"
    )
    load()
    compile_scanner()  # both take seconds, in which a worker that had joined would be missed by its groups
    spare_the_collector()
    running = Worker(place, at_places_of(version, declared), settings_body)
    close_metrics = serve(running, metrics_host, metrics) if metrics else None
    level = "INFO" if verbose else "WARNING"
    process = faust.Worker(application(running), loglevel=level, redirect_stdouts=False, quiet=not verbose)
    if json:
        print_json({"shop": version.settings.name, "settings": applied.number, "data": str(place.data)})
    try:
        process.execute_from_commandline()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exits.OK
    finally:
        if close_metrics is not None:
            close_metrics()
        running.close()


def _leave(*_: object) -> None:
    """End at once, as asked: a worker that is not at work yet has nothing to bring to an end.

    An exception would be lost where it comes in a callback of the compiler, and the worker would go on.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exits.OK)
