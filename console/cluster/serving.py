"""A shop in a cluster, opened for the API."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from app.clickhouse_address import clickhouse_address
from app.log_folder import keys_folder
from app.sending.links import secret_of_cluster
from app.shop import Shop
from app.worker.addresses import Addresses
from app.worker.place import ClusterPlace, at_places_of
from app.worker.worker import applied_settings
from console.cluster.answers import ClusterAnswers
from console.cluster.coupons import ClusterCoupons
from console.cluster.deliveries import ClusterDeliveries, ClusterSending
from console.cluster.effects import TopicEffects
from console.cluster.figures import ClusterCollector
from console.cluster.ledger import FollowedLedger
from console.cluster.links import FollowedLinks
from console.cluster.owners import Owners
from console.cluster.rights import ClusterRights
from console.cluster.sender import Sender
from console.cluster.settings import Following
from console.cluster.texts import ClusterTexts
from console.cluster.triggers import ClusterTriggers
from console.cluster.view import SharedView
from console.cluster.work import ClusterWork
from console.figures import ApiFigures
from console.keys import Keyring
from console.serving import Serving, counter_of
from sinks.deliveries.standing import Standing
from sinks.history.server import ServerHistory
from sinks.store.questions import Questions
from sinks.store.store import Store
from streams.changes.settings import Applied
from streams.shared.index import Index


@contextlib.contextmanager
def cluster_serving(folder: Path, declared: Shop, place: ClusterPlace) -> Iterator[Serving]:
    """Yield what the API answers from, by the settings that were applied last, now and while it runs.

    declared: the folder's, for where its keys lie. Raises InputError where Kafka does not answer, or no
    settings were applied yet.
    """
    applied = applied_settings(place)
    shop = Shop.model_validate_json(applied.shop)
    figures, client, sender = ApiFigures(), place.client(), Sender(place.bootstrap)
    store = Store(client, shop.settings.name)
    work = ClusterWork(place, shop, sender, lambda: made.now(), figures.registry)
    index = Index(client, shop.settings.name)
    ledger = FollowedLedger(place.bootstrap, place.topics.ledger, place.ledger_copy)
    effects = TopicEffects(place.bootstrap, shop.settings.name, ledger.states, ledger.ringing)
    view, asked = SharedView(index, place.secret), place.topics.asked
    standing = Standing(client, shop.settings.name)
    links = FollowedLinks(
        ledger, index, place.secret, secret_of_cluster(place.secret), sender, asked, lambda: made.shop
    )
    owners = Owners(store, Questions(client, shop.settings.name))
    texts = ClusterTexts(
        owners, lambda: at_places_of(made.shop, declared),
        lambda asked: Addresses(index, place.secret, asked.sources),
    )  # fmt: skip
    triggers = ClusterTriggers(applied, ledger)
    made = Serving(
        shop, store, view, work, ClusterAnswers(store, owners, lambda: made.shop, texts), effects,
        ClusterRights(place, index, lambda: made.shop), ClusterDeliveries(ledger, sender, asked),
        ClusterSending(ledger, sender, asked, view, standing, lambda: made.shop, lambda: made.now(), links),
        ClusterCoupons(ledger, sender, asked), Keyring(keys_folder(folder, declared)), figures,
        triggers=triggers,
        slots=counter_of(shop.model_copy(update={"recommendations": declared.recommendations}), store),
        history=lambda: contextlib.closing(ServerHistory(clickhouse_address(declared), shop.settings.zone)),
    )  # fmt: skip
    figures.registry.register(ClusterCollector(place, made, ledger))

    def use(newer: Applied) -> None:
        declarations = Shop.model_validate_json(newer.shop)
        work.use(declarations)
        made.use(declarations)
        triggers.applied = newer

    following = Following(place.bootstrap, place.topics.settings, applied, use)
    following.start()
    ledger.start()
    try:
        yield made
    finally:
        following.stop()
        ledger.stop()
        sender.close()
        effects.close()
        client.close()
