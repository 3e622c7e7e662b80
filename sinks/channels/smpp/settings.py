"""What channels.yaml says of an SMSC."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sinks.channels.settings import ProviderSettings
from sinks.texts.escape import EscapeName


class SmppSettings(ProviderSettings):
    """An SMSC, or a gateway that speaks as one."""

    escape: ClassVar[EscapeName] = "sms"

    kind: Literal["smpp"] = "smpp"
    host: str = Field(min_length=1, description="name or address of the SMSC")
    port: int = Field(default=2775, ge=1, le=65535, description="its port")
    tls: bool = Field(default=False, description="whether the connection is TLS; its certificate is checked")
    system_id: str = Field(min_length=1, max_length=15, description="the account")
    password_env: str = Field(min_length=1, description="environment variable with the password")
    system_type: str = Field(default="", max_length=12, description="as the provider says; mostly empty")
    service_type: str = Field(default="", max_length=5, description="as the provider says; mostly empty")
    bind: Literal["transceiver", "transmitter"] = Field(
        default="transceiver", description="a transmitter sends, and gets no receipts and no answers"
    )
    source: str = Field(default="", max_length=20, description="who it comes from: a number or a name")
    signature: str = Field(
        default="",
        max_length=20,
        pattern=r"^(【[^【】]+】)?$",
        description="approved, such as 【小店】: a text must begin or end with it; the check says so",
    )
    source_ton: int = Field(default=0, ge=0, le=6, description="type of number; 5 is a name")
    source_npi: int = Field(default=0, ge=0, le=18, description="numbering plan")
    destination_ton: int = Field(default=1, ge=0, le=6, description="type of number; 1 is international")
    destination_npi: int = Field(default=1, ge=0, le=18, description="numbering plan; 1 is telephone")
    window: int = Field(default=10, ge=1, le=1000, description="submits in flight")
    enquire_seconds: float = Field(default=30, ge=1, description="silence after which enquire_link is sent")
    response_seconds: float = Field(default=10, ge=1, description="time for an answer")
    reference_bits: Literal[8, 16] = Field(default=8, description="of the number that joins parts")
    receipt_ids: Literal["same", "decimal"] = Field(
        default="same", description="decimal: receipts have the id in decimal, answers in hexadecimal"
    )
    zone: str = Field(default="UTC", description="time zone of the dates in receipts")
