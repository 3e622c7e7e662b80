"""``tintype export``: a copy of everything held on one customer."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from app import exits
from app.commands.erase import Customer
from app.commands.options import Cluster, Json, ShopFolder
from app.inspect import known_customer
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.output import print_json
from app.person import whole_export
from app.shop import Shop
from sinks.deliveries.ledger import Ledger


def export(shop: ShopFolder, customer: Customer, cluster: Cluster = False, json: Json = True) -> int:
    """Write everything held on one customer as JSON: references, every row and record, decisions.

    What is personal is readable. It may run beside the shop.
    """
    declared = load_shop(shop)
    if cluster:
        print_json(_of_cluster(shop, declared, customer))
        return exits.OK
    with open_log(shop, declared) as log:
        found = known_customer(log, customer)
        with contextlib.closing(Ledger(data_folder(shop, declared))) as ledger:
            print_json(whole_export(log, declared, ledger, bytes.fromhex(found)))
    return exits.OK


def _of_cluster(folder: Path, declared: Shop, customer: str) -> dict[str, Any]:
    from app.cluster import person
    from app.worker.place import cluster_place
    from app.worker.worker import applied_settings
    from streams.shared.index import Index

    place = cluster_place(folder, declared)
    shop = Shop.model_validate_json(applied_settings(place).shop)
    index = Index(place.client(), shop.settings.name)
    return person.export(place, shop, index, person.find(index, place.secret, customer))
