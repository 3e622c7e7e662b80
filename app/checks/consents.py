"""Notes on triggers that write to people without asking for their consent."""

from __future__ import annotations

from app.checks.note import Note
from app.folder import Folder
from sinks.channels.channel import Channel
from sinks.channels.cloud.settings import CloudSettings
from sinks.channels.mail.mail import MailSettings
from sinks.channels.smpp.settings import SmppSettings

_OF_PEOPLE = ("phone", "email")  # types of references that a message reaches somebody by, wherever they are


def notes_on_consents(folder: Folder) -> list[Note]:
    """Return a note for each marketing trigger over SMS or mail that asks for no consent. Needs a folder
    without errors."""
    return [
        Note(
            folder.where(f"triggers/{name}.yaml", "action", "channel"),
            f"marketing by '{trigger.action.channel}' asks for no consent: all get it who do not unsubscribe",
            f"add 'guards: {{consent: {trigger.action.channel}/marketing}}', or 'purpose: transactional'",
        )
        for name, trigger in folder.shop.triggers.items()
        if trigger.purpose == "marketing" and trigger.guards.consent is None
        and _reaches_people(folder.shop.channels[trigger.action.channel])
    ]  # fmt: skip


def _reaches_people(channel: Channel) -> bool:
    kinds = CloudSettings | MailSettings | SmppSettings
    return channel.address in _OF_PEOPLE or any(isinstance(one, kinds) for one in channel.providers)
