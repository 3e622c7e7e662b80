"""Messages as an SMSC takes them: each part a submit_sm, and what its answer says of the message.

A message of several parts is accepted when all of its parts are. The first part goes ahead: refused, nothing
is out. Where a later part is refused behind it, the outcome is `Unknown`: some of the message is with the
SMSC, so it must not be sent again as a whole. A later part that is refused for the moment is tried again
here, since the rest of its message would be lost.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from sinks.channels.batch import Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.channels.smpp.codes import refused
from sinks.channels.smpp.inbound import Written, is_receipt, read_receipt
from sinks.channels.smpp.link import Answer, Link, Lost
from sinks.channels.smpp.parts import Parts, Whole
from sinks.channels.smpp.pdu import Pdu, submit_pdu, text_of
from sinks.channels.smpp.session import Away, Session
from sinks.channels.smpp.settings import SmppSettings
from sinks.channels.sms_text import encode

CODING = {"gsm": 0, "ucs2": 8}  # SMPP 3.4, section 5.2.19
WITH_HEADER = 0x40  # section 5.2.12
TRIES = 3  # of a later part that is refused for the moment

Begun = Outcome | asyncio.Future[Answer] | asyncio.Task[Outcome]


class Client:
    """One session and what goes over it. receive: gets receipts."""

    def __init__(
        self, settings: SmppSettings, password: str, receive: Callable[[Sequence[Receipt]], None]
    ) -> None:
        self._settings, self._password, self._receive = settings, password, receive
        self._zone = ZoneInfo(settings.zone)
        self._written, self._parts = Written(), Parts()
        self._references = itertools.count(1)
        self._pdu = made = submit_pdu()
        made.service_type, made.source_addr = settings.service_type, settings.source
        made.source_addr_ton, made.source_addr_npi = settings.source_ton, settings.source_npi
        made.dest_addr_ton, made.dest_addr_npi = settings.destination_ton, settings.destination_npi
        made.registered_delivery = 1 if settings.bind == "transceiver" else 0
        self._session = Session(self._connect)

    async def open(self) -> None:
        """Wait for the first attempt to connect."""
        await self._session.link()

    async def send(self, batch: Batch) -> None:
        """Submit messages, as `Provider.send`."""
        await asyncio.sleep(0)  # a connection that closed while the loop stood still is seen first
        link = await self._session.link()
        if isinstance(link, Refused):
            batch.tell_all(link)
            return
        begun: list[tuple[Message, Begun]] = []
        try:
            await self._begin_all(link, batch, begun)
            for message, one in begun:
                batch.tell(message, await self._outcome(one))
        except BaseException:
            self._break_off(batch, begun)
            raise

    async def _begin_all(self, link: Link, batch: Batch, begun: list[tuple[Message, Begun]]) -> None:
        """Take each message when the window has room for it."""
        while batch.left:
            try:
                await link.room()
            except Lost as error:
                batch.tell_all(Refused("retry", "", str(error)))
                return
            message = next(batch, None)
            if message is None:
                link.pass_on()
                return
            begun.append((message, self._begin(link, message)))

    def _break_off(self, batch: Batch, begun: Sequence[tuple[Message, Begun]]) -> None:
        """Tell what is known by now."""
        for message, one in begun:
            if not isinstance(one, asyncio.Future):
                batch.tell(message, one)
            elif not one.done():
                if isinstance(one, asyncio.Task):
                    one.cancel()
            elif not one.cancelled() and one.exception() is None:
                batch.tell(message, self._said(one.result()))

    async def close(self) -> None:
        """Wait for answers at hand, unbind and close."""
        await self._session.close()

    async def _connect(self) -> Link:
        chosen = self._settings
        context = ssl.create_default_context() if chosen.tls else None
        made = Link(chosen.window, chosen.enquire_seconds, chosen.response_seconds, self._heard)
        try:
            async with asyncio.timeout(chosen.response_seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: made, chosen.host, chosen.port, ssl=context
                )
        except (OSError, TimeoutError) as error:
            raise Away(Refused("retry", "", f"{chosen.host}:{chosen.port}: {error or 'no answer'}")) from None
        try:
            answer = await made.ask(
                f"bind_{chosen.bind}", system_id=chosen.system_id, password=self._password,
                system_type=chosen.system_type,
            )  # fmt: skip
        except asyncio.CancelledError:
            made.end("closed")
            raise
        if not isinstance(answer, Unknown) and answer.status == 0:
            return made
        made.end("not bound")
        if isinstance(answer, Unknown):
            raise Away(Refused("retry", "", f"bind: {answer.reason}"))
        raise Away(refused(answer.status, "the bind"))

    def _heard(self, pdu: Pdu) -> None:
        """Hand on what the SMSC sends of its own accord."""
        if is_receipt(pdu):
            told = read_receipt(pdu, self._zone)
            receipt = told and self._parts.heard(told)
            self._hand_on([receipt] if receipt else [])
            return
        answer = self._written.read(pdu)
        try:
            self._hand_on([answer] if answer else [])
        except BaseException:
            self._written.put_back()
            raise

    def _begin(self, link: Link, message: Message) -> Begun:
        """Write a message, behind `Link.room`; of several parts the first, the others go beside it."""
        number = message.address.removeprefix("+")
        if not (number.isascii() and number.isdigit() and len(number) <= 20):
            return Refused("give_up", "", "the address is no telephone number")
        try:
            alphabet, parts = encode(
                message.text, next(self._references), reference_bits=self._settings.reference_bits
            )
        except ValueError as error:
            return Refused("give_up", "", str(error))
        coding = CODING[alphabet]
        if len(parts) == 1:
            return self._write(link, number, coding, parts[0], None)
        whole = Whole(left=len(parts))
        first = self._write(link, number, coding, parts[0], whole)
        return asyncio.create_task(self._several(link, number, coding, parts, whole, first))

    def _write(
        self, link: Link, number: str, coding: int, part: bytes, whole: Whole | None
    ) -> asyncio.Future[Answer]:
        made = self._pdu
        made.destination_addr, made.data_coding, made.short_message = number, coding, part
        made.esm_class = 0 if whole is None else WITH_HEADER
        if whole is None:
            return link.submit(made)
        ticket = self._parts.begun()

        def answered(pdu: Pdu) -> None:
            if pdu.status == 0:
                self._hand_on(self._parts.accepted(whole, self._reference(pdu)))

        submitted = link.submit(made, answered)
        submitted.add_done_callback(lambda _: self._hand_on(self._parts.settled(ticket)))
        return submitted

    def _hand_on(self, receipts: Sequence[Receipt]) -> None:
        if receipts:
            self._receive(receipts)

    async def _several(
        self, link: Link, number: str, coding: int, parts: Sequence[bytes], whole: Whole,
        begun: asyncio.Future[Answer],
    ) -> Outcome:  # fmt: skip
        """Submit the other parts together, behind the first."""
        first = self._said(await begun)
        if not isinstance(first, Accepted):
            return first
        later = await asyncio.gather(
            *(self._later(link, number, coding, part, whole) for part in parts[1:])
        )
        failed = [one for one in later if not isinstance(one, Accepted)]
        if not failed:
            return Accepted(first.reference, len(parts))
        whole.told = True  # nobody waits for its receipts
        out = len(parts) - len(failed)
        return Unknown(f"{out} of {len(parts)} parts are out, another is not: {failed[0].reason}")

    async def _later(self, link: Link, number: str, coding: int, part: bytes, whole: Whole) -> Outcome:
        for left in reversed(range(TRIES)):
            try:
                await link.room()
            except Lost as error:
                return Refused("retry", "", str(error))
            outcome = self._said(await self._write(link, number, coding, part, whole))
            if not (left and isinstance(outcome, Refused) and outcome.after is not None):
                break
            await asyncio.sleep(outcome.after)
        return outcome

    async def _outcome(self, begun: Begun) -> Outcome:
        return self._said(await begun if isinstance(begun, asyncio.Future) else begun)

    def _said(self, answer: Answer | Outcome) -> Outcome:
        if isinstance(answer, Accepted | Refused | Unknown):
            return answer
        if answer.status != 0:
            return refused(answer.status, "submit_sm")
        return Accepted(self._reference(answer) or None)

    def _reference(self, pdu: Pdu) -> str:
        """Return the SMSC's name for a part, in the form that receipts have it."""
        name = text_of(getattr(pdu.body, "message_id", None))
        if self._settings.receipt_ids == "decimal" and name:
            try:
                return str(int(name, 16))
            except ValueError:
                return name
        return name
