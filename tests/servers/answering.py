"""What asks the owners of a cluster's partitions, for tests."""

from __future__ import annotations

from app.shop import Shop
from app.worker.addresses import Addresses
from console.cluster.answers import ClusterAnswers
from console.cluster.owners import Owners
from console.cluster.texts import ClusterTexts
from sinks.store.questions import Questions
from sinks.store.store import Store
from streams.shared.index import Index
from tests.called import SECRET


def cluster_answers(store: Store, asked: Questions, shop: Shop) -> ClusterAnswers:
    owners, index = Owners(store, asked), Index(store.client, shop.settings.name)
    texts = ClusterTexts(owners, lambda: shop, lambda one: Addresses(index, SECRET, one.sources))
    return ClusterAnswers(store, owners, lambda: shop, texts)
