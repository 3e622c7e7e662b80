"""A shop's configuration, as read from its folder."""

from __future__ import annotations

from pydantic import Field

from profiles.declare import Declared
from rfm.model import RfmModel
from sinks.channels.channel import Channel
from sinks.coupons.pool import Pool
from sinks.recommendations.declaration import Recommendations
from streams.contract.source import Source
from tags.tag import Tag
from triggers.shop_guards import ShopGuards
from triggers.trigger import Trigger


class Kafka(Declared):
    """``[kafka]`` of tintype.toml: where the cluster form's feeds are."""

    bootstrap: str = Field(default="localhost:9092", description="host:port of brokers, with commas between")
    connect: str = Field(default="http://localhost:8083", description="Kafka Connect's REST interface")
    connectors: str = Field(
        default="connectors", description="folder of connector files, relative to the shop's folder"
    )
    topics: dict[str, str] = Field(
        default={}, description="the topic of a source whose changes no connector file brings"
    )
    store: str = Field(default="redis://localhost:6379/0", description="Redis or Valkey: the profile store")
    snapshots: str = Field(
        default="",
        description="where workers share snapshots: s3://BUCKET/PREFIX, or a folder that all reach",
    )
    snapshot_records: int = Field(
        default=200_000, ge=1, description="records of a partition between two snapshots"
    )


class ClickHouse(Declared):
    """``[clickhouse]`` of tintype.toml: where the cluster form's history is."""

    address: str = Field(default="localhost:9000", description="host:port of the native protocol")
    database: str = Field(default="", description="name of the database; tintype_ and the shop's when empty")
    secure: bool = Field(default=False, description="speak TLS with the server")


class Links(Declared):
    """``[links]`` of tintype.toml: short links of messages."""

    base: str = Field(
        default="",
        description="public address of the API, such as https://s.shop.example; empty: links stay long",
    )


class TriggerSettings(Declared):
    """``[triggers]`` of tintype.toml: how triggers come into force."""

    shadow_first: bool = Field(
        default=True, description="a trigger goes live only after it has run in shadow as it is"
    )


class Settings(Declared):
    """``tintype.toml``."""

    name: str
    zone: str = "UTC"
    currency: str = ""
    language: str = "en"
    partitions: int = Field(default=1, ge=1, le=256)
    data: str = Field(
        default="data", description="folder of log and snapshots, relative to the shop's folder"
    )
    history: bool = Field(
        default=True, description="keep a copy of the log, and of what came out, to be asked in SQL"
    )
    guards: ShopGuards = Field(default=ShopGuards(), description="what stands against marketing (D5)")
    groups: dict[str, list[str]] = Field(default={}, description="exclusive groups: tags, first wins")
    links: Links = Field(default=Links(), exclude=True, description="short links of messages, counted")
    # left out of the log's settings records: where brokers are changes no result (P2)
    kafka: Kafka = Field(
        default=Kafka(), exclude=True, description="of the cluster form: brokers, connectors"
    )
    clickhouse: ClickHouse = Field(  # nor is where history is
        default=ClickHouse(), exclude=True, description="of the cluster form: history's server"
    )
    triggers: TriggerSettings = Field(  # nor is whether somebody looks before they are
        default=TriggerSettings(), exclude=True, description="how triggers come into force"
    )
    identity_priority: list[str] = Field(default=[], description="reference types, the most trusted first")


class Shop(Declared):
    """Everything a shop declares. Names are the file stems (sources, tags, triggers)."""

    settings: Settings
    sources: dict[str, Source]
    metrics: dict[str, str] = Field(default={}, description="metrics.yaml: name to metric expression")
    rfm: list[RfmModel] = []
    tags: dict[str, Tag] = {}
    triggers: dict[str, Trigger] = {}
    channels: dict[str, Channel] = {}
    coupons: dict[str, Pool] = {}
    # left out of the log's settings records: what is offered changes no result (P2)
    recommendations: Recommendations | None = Field(default=None, exclude=True)
