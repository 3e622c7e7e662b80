"""E-mail by SMTP: a plain text for each message, over one connection a batch."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from sinks.channels.batch import Batch
from sinks.channels.mail.letter import (
    Letterhead,
    NoAddress,
    Unsubscribe,
    address_of,
    message_id,
    write_letter,
)
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.placeholders import check_places, fill_places
from sinks.channels.provider import Around
from sinks.channels.settings import ProviderSettings, parse_seconds

if TYPE_CHECKING:
    import aiosmtplib

PORTS = {"tls": 465, "starttls": 587, "none": 25}
# 530 log in first, 534 and 535 credentials, 538 encrypt first (RFC 4954, 6)
CREDENTIALS = (530, 534, 535, 538)
# Of MAIL FROM, these are about this message: its size or its parameters (RFC 1870, RFC 5321 4.2)
ABOUT_THE_MESSAGE = (552, 555)
LONGEST_URL = 850  # a line has 998 (RFC 5322, 2.1.1), and places stand for ids of 32 signs


class MailSettings(ProviderSettings):
    """A mail server that takes messages in."""

    kind: Literal["email"] = "email"
    host: str = Field(description="the mail server")
    port: int = Field(default=0, ge=0, le=65535, description="465, 587 or 25 by `tls` when 0")
    tls: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="from the first byte, or by STARTTLS, or never"
    )
    user: str = Field(default="", description="whom to log in as; nobody when empty")
    password_env: str = Field(default="", description="variable of the password")
    sender: str = Field(alias="from", min_length=1, description="address that the mail comes from")
    from_name: str = Field(default="", description="name beside it")
    reply_to: str = Field(default="", description="address for answers")
    unsubscribe_mail: str = Field(default="", description="address for List-Unsubscribe")
    unsubscribe_url: str = Field(
        default="", description="https:// for List-Unsubscribe in one click, with {{ id }} and {{ customer }}"
    )
    timeout: str = Field(default="30s", description="length: for connecting, and for each answer")

    @field_validator("timeout")
    @classmethod
    def _is_length(cls, text: str) -> str:
        parse_seconds(text)
        return text

    @field_validator("sender", "reply_to", "unsubscribe_mail")
    @classmethod
    def _is_address(cls, text: str) -> str:
        try:
            return text and address_of(text)  # an empty one is none
        except NoAddress:
            raise ValueError(f"'{text}' is no e-mail address; write one such as hello@shop.example") from None

    @field_validator("unsubscribe_url")
    @classmethod
    def _is_https(cls, text: str) -> str:
        check_places(text, ("id", "customer"))
        filled = fill_places(text, {"id": "", "customer": ""})
        if len(text) > LONGEST_URL:
            raise ValueError(f"the address has {len(text)} characters, a header takes {LONGEST_URL}")
        if text and not re.fullmatch(r"https://[!-;=?-~]+", filled):  # ASCII, without spaces, < and >
            raise ValueError(f"'{text}' is no https address; write https://host/path?id={{{{ id }}}}")
        return text


class Mail:
    """Sends letters. A batch has a connection of its own, made anew where it breaks between two letters."""

    def __init__(self, settings: MailSettings, around: Around) -> None:
        self._settings = settings
        self._environment = around.environment
        self._head = Letterhead(
            settings.sender, settings.from_name, settings.reply_to,
            Unsubscribe(settings.unsubscribe_mail, settings.unsubscribe_url),
        )  # fmt: skip

    async def open(self) -> None:
        """Nothing is connected to before there is something to send."""

    async def send(self, batch: Batch) -> None:
        """Send the messages one after the other."""
        run = _Run(self._connect)
        for message in batch:
            try:
                batch.tell(message, await self._send(run, message))
            except BaseException:  # cancelled in the middle of a letter: the server can be told nothing now
                if not run.writing:
                    batch.tell(message, Refused("retry", "", "stopped before the letter was written"))
                run.drop()
                raise
        await run.leave()

    async def close(self) -> None:
        """Nothing is held between batches."""

    async def _send(self, run: _Run, message: Message) -> Outcome:
        try:
            to, letter = address_of(message.address), write_letter(self._head, message).as_bytes()
        except NoAddress as problem:
            return Refused("give_up", "address", str(problem))
        except Exception as error:  # noqa: BLE001 - a message that the library chokes on is this one's fault
            return Refused("give_up", "letter", f"no letter can be made of it: {type(error).__name__}")
        refused = await run.announce(self._settings.sender, to)
        if refused:
            return refused
        return await run.hand_over(letter, message_id(self._head, message))

    async def _connect(self) -> aiosmtplib.SMTP | Refused:
        import aiosmtplib

        told = self._settings
        password = self._environment.get(told.password_env, "") if told.password_env else None
        if password == "":
            problem = f"{told.password_env} is not set: put the password into the environment"
            return Refused("stop", "secret", problem)
        smtp = aiosmtplib.SMTP(
            hostname=told.host, port=told.port or PORTS[told.tls], use_tls=told.tls == "tls",
            start_tls=told.tls == "starttls", timeout=parse_seconds(told.timeout),
            username=told.user or None, password=password if told.user else None,
            # said in EHLO; asking DNS for this machine's own name can take seconds
            local_hostname=told.sender.rpartition("@")[2],
        )  # fmt: skip
        try:
            await smtp.connect()
        except aiosmtplib.SMTPResponseException as error:  # a greeting, EHLO, STARTTLS or AUTH that says no
            smtp.close()
            login = isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500
            stop = login or error.code in CREDENTIALS
            return Refused("stop" if stop else "retry", str(error.code), error.message)
        except (ConnectionError, TimeoutError, OSError) as error:
            smtp.close()
            return Refused("retry", type(error).__name__, f"no connection: {error}")
        except aiosmtplib.SMTPException as error:  # STARTTLS or every way of logging in is not offered
            smtp.close()
            return Refused("stop", type(error).__name__, str(error))
        return smtp


class _Run:
    """One connection, as long as it lasts, and the refusal of the next where there is none."""

    def __init__(self, connect: Any) -> None:
        self._connect = connect
        self._smtp: aiosmtplib.SMTP | None = None
        self.writing = False  # the letter itself, which may be out from here on
        self._away: Refused | None = None

    async def announce(self, sender: str, to: str) -> Refused | None:
        """Say who writes to whom; return the refusal, if it is one. Nothing of the message is written."""
        self.writing = False
        used = self._smtp is not None
        refused = await self._announce(sender, to)
        if refused and used and self._smtp is None:  # servers take so many on one connection, then close it
            refused = await self._announce(sender, to)
        return refused

    async def _announce(self, sender: str, to: str) -> Refused | None:
        import aiosmtplib

        if self._smtp is None and self._away is None:
            made = await self._connect()
            self._smtp, self._away = (None, made) if isinstance(made, Refused) else (made, None)
        if self._smtp is None:
            return self._away
        try:
            await self._smtp.mail(sender)
        except aiosmtplib.SMTPResponseException as error:
            lasting = error.code >= 500 and error.code not in ABOUT_THE_MESSAGE
            return await self._refused(error, "stop" if lasting else None)
        except (aiosmtplib.SMTPException, OSError) as error:
            return self._broken(error)
        try:
            await self._smtp.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return self._broken(error)
        return None

    async def hand_over(self, letter: bytes, reference: str) -> Outcome:
        """Send the message itself. What breaks from here on leaves it unknown."""
        import aiosmtplib

        assert self._smtp is not None, "it was announced"
        self.writing = True
        try:
            await self._smtp.data(letter)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._broken(error)
            return Unknown(f"the connection broke behind the message: {error}")
        return Accepted(reference)

    async def _refused(
        self, error: aiosmtplib.SMTPResponseException, verdict: Literal["stop"] | None = None
    ) -> Refused:
        import aiosmtplib

        assert self._smtp is not None, "it has answered"
        if error.code == 421:  # "Service not available, closing transmission channel" (RFC 5321, 4.2.3)
            self.drop()
        else:
            try:
                await self._smtp.rset()
            except (aiosmtplib.SMTPException, OSError):
                self.drop()
        if error.code in CREDENTIALS:
            verdict = "stop"
        told = verdict or ("give_up" if error.code >= 500 else "retry")
        return Refused(told, str(error.code), error.message)

    def _broken(self, error: Exception) -> Refused:
        self.drop()
        return Refused("retry", type(error).__name__, f"the connection broke before the message: {error}")

    def drop(self) -> None:
        """Let the connection go."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def leave(self) -> None:
        """Say goodbye; whoever does not answer that is left without."""
        import aiosmtplib

        if self._smtp is not None:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit()
            self.drop()
