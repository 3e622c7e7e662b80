"""``tintype export``: a copy of everything held on one customer."""

from __future__ import annotations

import contextlib

from app import exits
from app.commands.erase import Customer
from app.commands.options import Json, ShopFolder
from app.inspect import known_customer
from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.output import print_json
from app.person import whole_export
from sinks.deliveries.ledger import Ledger


def export(shop: ShopFolder, customer: Customer, json: Json = True) -> int:
    """Write everything held on one customer as JSON: references, every row and record, decisions.

    What is personal is readable. It may run beside the shop.
    """
    declared = load_shop(shop)
    with open_log(shop, declared) as log:
        found = known_customer(log, customer)
        with contextlib.closing(Ledger(data_folder(shop, declared))) as ledger:
            print_json(whole_export(log, declared, ledger, bytes.fromhex(found)))
    return exits.OK
