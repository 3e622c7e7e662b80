"""A message as an e-mail (RFC 5322): headers, a plain text, and a way to be left alone (RFC 2369, RFC 8058).

Nothing of a message can add a header: whatever is a line's end or a control character in a title or a name
becomes a space, and addresses that are not one plain address are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote

from sinks.channels.message import Message
from sinks.channels.placeholders import fill_places

if TYPE_CHECKING:
    from email.message import EmailMessage

# RFC 5321, 4.5.3.1: 64 octets before the @, 254 in all. Quoted local parts are legal, unused, and a way in.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
JOINER = "\u200d"  # makes one emoji of several
LONGEST_TITLE = 200  # signs; a subject has no limit of its own, and a title that long is a mistake


class NoAddress(ValueError):
    """What is no e-mail address."""


@dataclass(frozen=True)
class Unsubscribe:
    """How a customer says that they want no more: an address, a URL of {{ id }}, {{ customer }}, both."""

    mail: str = ""
    url: str = ""


@dataclass(frozen=True)
class Letterhead:
    """What every letter of a provider has."""

    sender: str
    name: str = ""
    reply_to: str = ""
    unsubscribe: Unsubscribe = Unsubscribe()


def address_of(text: str) -> str:
    """Return one plain address, its host in ASCII. Raises NoAddress.

    >>> address_of("li@邮件.example")
    'li@xn--5nq051n.example'
    """
    local, _, host = text.rpartition("@")
    try:
        found = f"{local}@{host.encode('idna').decode()}"
    except UnicodeError:
        raise NoAddress(f"'{one_line(text)}' is no e-mail address") from None
    dots = ".." in found or local.startswith(".") or local.endswith(".")
    encoded = "=?" in found  # the library would decode it (RFC 2047), or raise what is no NoAddress
    if not _ADDRESS.fullmatch(found) or len(found) > 254 or dots or encoded:
        raise NoAddress(f"'{one_line(text)}' is no e-mail address")
    return found


def one_line(text: str) -> str:
    """Return a text without lines' ends, control characters and encoded words (RFC 2047), which the library
    would decode: ``=?utf-8?q?=0ABcc:_x?=`` is a line's end and a header.

    >>> one_line("sale\\r\\nBcc: all@shop.example")
    'sale Bcc: all@shop.example'
    """
    printable = "".join(sign if sign.isprintable() or sign == JOINER else " " for sign in text)
    return " ".join(printable.split()).replace("=?", "= ?")


def subject(message: Message) -> str:
    """Return the title, or the first line of the text where there is none."""
    first = next((line for line in message.text.splitlines() if line.strip()), "")
    return one_line(message.title or first)[:LONGEST_TITLE]


def message_id(head: Letterhead, message: Message) -> str:
    """Return the Message-ID: a letter that is sent again has the same one."""
    return f"<{message.id}@{head.sender.rpartition('@')[2]}>"


def write_letter(head: Letterhead, message: Message) -> EmailMessage:
    """Return the e-mail of a message. Raises NoAddress."""
    from email.headerregistry import Address
    from email.message import EmailMessage

    from sinks.channels.mail.headers import POLICY

    letter = EmailMessage(policy=POLICY)
    letter["Message-ID"] = message_id(head, message)
    letter["Date"] = formatdate()
    letter["From"] = Address(one_line(head.name), addr_spec=head.sender)
    letter["To"] = address_of(message.address)
    letter["Subject"] = subject(message)
    if head.reply_to:
        letter["Reply-To"] = head.reply_to
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office answers
    if message.purpose == "marketing":
        _add_unsubscribe(letter, head.unsubscribe, message)
    letter.set_content(message.text)
    return letter


def _add_unsubscribe(letter: EmailMessage, how: Unsubscribe, message: Message) -> None:
    ways = []
    if how.url:
        told = {"id": quote(message.id, safe=""), "customer": quote(message.customer, safe="")}
        ways.append(f"<{fill_places(how.url, told)}>")
    if how.mail:
        ways.append(f"<mailto:{how.mail}?subject=unsubscribe%20{message.id}>")
    if ways:
        letter["List-Unsubscribe"] = ", ".join(ways)
    if how.url:  # RFC 8058, 3.1: only with an https URL
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
