"""What customers answer to messages: whose it is, and what the log is told of it."""

from __future__ import annotations

from collections.abc import Sequence

from app.shop import Shop
from sinks.channels.cloud.settings import ChineseSettings
from sinks.channels.cloud.twilio import TwilioSettings
from sinks.channels.numbers import CHINA, spellings
from sinks.deliveries.answers import Answer, record_of
from streams.control import Control, consent

MARKETING = "marketing"
# Zones in which a number without a country's code is a Chinese one, where no provider says a country.
_CHINESE = {"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar", "PRC"}


def references_behind(shop: Shop, channel: str, address: str) -> list[str]:
    """Return the references ``type:value`` by which somebody may be known who answers from an address; none
    where the channel does not say of which type its addresses are."""
    kind = shop.channels[channel].address
    if not kind or not address:
        return []
    return [f"{kind}:{one}" for one in spellings(address, _country_codes(shop, channel))]


def _country_codes(shop: Shop, channel: str) -> list[str]:
    said = [
        CHINA if isinstance(one, ChineseSettings) else one.country_code.removeprefix("+")
        for one in shop.channels[channel].providers
        if isinstance(one, ChineseSettings | TwilioSettings)
    ]
    known = list(dict.fromkeys(code for code in said if code))
    return known or ([CHINA] if shop.settings.zone in _CHINESE else [])


def controls_of(shop: Shop, answers: Sequence[Answer]) -> list[Control]:
    """Return what the log is told of answers: of each its message, if it is one's, and of whoever
    unsubscribes that consent to marketing by this channel is withdrawn, whatever it is called."""
    told: list[Control] = []
    for one in answers:
        if one.opts_out:
            told += [
                consent(bytes.fromhex(one.customer), channel, purpose, False)
                for channel, purpose in _consents_over(shop, one.channel)
            ]
        if one.decision is not None:
            told.append(record_of(one, one.decision))
    return told


def _consents_over(shop: Shop, channel: str) -> list[tuple[str, str]]:
    """Return (channel, purpose) of the consents that marketing over a channel asks for."""
    found = {(channel, MARKETING)}
    for trigger in shop.triggers.values():
        asked = trigger.guards.consent
        if asked is not None and trigger.action.channel == channel and trigger.purpose == MARKETING:
            of_channel, _, purpose = asked.partition("/")
            found.add((of_channel, purpose))
    return sorted(found)
