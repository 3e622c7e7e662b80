"""Headers of a letter that stand on the wire as they were written.

The library folds a word that is too long for a line by encoding it (RFC 2047), which is for words that people
read: no mail program takes ``=?utf-8?q?=3Chttps...`` for the address in a List-Unsubscribe, a Message-ID or
a To (RFC 2369, section 2; RFC 2047, section 5).
"""

from __future__ import annotations

from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any, ClassVar, cast

AS_WRITTEN = ("message-id", "to", "reply-to", "list-unsubscribe", "list-unsubscribe-post")


class AsWritten:
    """A header of ASCII without line ends; a line ends behind a comma only."""

    max_count: ClassVar[int] = 1
    name: str

    @classmethod
    def parse(cls, value: str, parts: dict[str, Any]) -> None:
        """Take the value as it is; `email.headerregistry.BaseHeader` calls it."""
        value.encode("ascii")
        parts["parse_tree"], parts["decoded"] = None, value

    def fold(self, *, policy: EmailPolicy[EmailMessage]) -> str:
        """Return the header's lines."""
        return f"{self.name}: {str(self).replace(', ', f',{policy.linesep} ')}{policy.linesep}"


def policy_of_letters() -> EmailPolicy[EmailMessage]:
    """Return how letters are written: as every server takes them, in quoted-printable or base64."""
    registry = HeaderRegistry()
    for name in AS_WRITTEN:
        registry.map_to_type(name, cast(Any, AsWritten))  # it is made one with BaseHeader there
    made: EmailPolicy[EmailMessage] = cast(Any, SMTP).clone(cte_type="7bit", header_factory=registry)
    return made


POLICY = policy_of_letters()
