"""E-mail: the contract, what a letter looks like, what each answer of a mail server means."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from sinks.channels.batch import Batch
from sinks.channels.mail.letter import Letterhead, write_letter
from sinks.channels.mail.mail import Mail, MailSettings
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Around, Provider, Receipt
from tests.sinks.certificate import make_certificate
from tests.sinks.loopback_smtp import LoopbackSmtp
from tests.sinks.provider_contract import MESSAGE, Changed, ProviderContract, handed, numbered

LETTER = replace(MESSAGE, to="email:li@buyer.example")
REFUSALS = {"retry": "451 later", "give_up": "550 no such user", "stop": "535 who are you"}


def made(smtp: LoopbackSmtp, **changed: Any) -> Mail:
    told: dict[str, Any] = {
        "host": "127.0.0.1", "port": smtp.port, "tls": "none", "from": "hello@shop.example", "timeout": "2s",
    } | changed  # fmt: skip
    environment = {"MAIL_PASSWORD": "right", "WRONG": "wrong"}
    around = Around(Path(), print, environment=environment)
    return Mail(MailSettings.model_validate(told, by_alias=True), around)


def sent(mail: Mail, messages: Sequence[Message] = (LETTER,)) -> list[Outcome]:
    async def work() -> list[Outcome]:
        await mail.open()
        try:
            return await handed(mail, messages)
        finally:
            await mail.close()

    return asyncio.run(work())


class ToMail:
    """Gives the contract's messages, which go to a phone, an address."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self.open, self.close = mail.open, mail.close

    async def send(self, batch: Batch) -> None:
        await self._mail.send(Changed(batch, lambda one: replace(one, to="email:li@buyer.example")))


class FarMail:
    """A mail server on loopback."""

    def __init__(self) -> None:
        self.smtp = LoopbackSmtp()
        self.receipts: list[Receipt] = []
        self.provider: Provider = ToMail(made(self.smtp))

    def came_out(self) -> Sequence[str]:
        return [one.text for one in self.smtp.taken]

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.smtp.answers.put("DATA" if verdict == "retry" else "RCPT", REFUSALS[verdict])
        return True

    def go_away(self) -> bool:
        self.smtp.go_away()
        return True

    def come_back(self) -> None:
        self.smtp.come_back()

    def break_off(self) -> bool:
        self.smtp.answers.put("DATA", "break")
        return True


class TestMail(ProviderContract):
    @pytest.fixture
    def far(self) -> Iterator[FarMail]:
        far = FarMail()
        yield far
        far.smtp.stop()


@pytest.fixture
def smtp() -> Iterator[LoopbackSmtp]:
    server = LoopbackSmtp()
    yield server
    server.stop()


def test_a_letter_has_its_headers_and_its_text(smtp: LoopbackSmtp) -> None:
    mail = made(smtp, from_name="好店", reply_to="desk@shop.example", unsubscribe_mail="stop@shop.example",
                unsubscribe_url="https://shop.example/stop?m={{ id }}&c={{ customer }}")  # fmt: skip
    (outcome,) = sent(mail)
    assert outcome == Accepted(f"<{MESSAGE.id}@shop.example>")
    (taken,) = smtp.taken
    assert (taken.sender, taken.to) == ("hello@shop.example", ["li@buyer.example"])
    letter = taken.letter
    assert letter["From"] == "好店 <hello@shop.example>"
    assert letter["To"] == "li@buyer.example"
    assert letter["Subject"] == "谢谢"
    assert letter["Reply-To"] == "desk@shop.example"
    assert letter["Message-ID"] == f"<{MESSAGE.id}@shop.example>"
    assert letter["Date"]
    unsubscribe = str(letter["List-Unsubscribe"]).replace("\r\n", "")
    assert f"<https://shop.example/stop?m={MESSAGE.id}&c={MESSAGE.customer}>" in unsubscribe
    assert f"<mailto:stop@shop.example?subject=unsubscribe%20{MESSAGE.id}>" in unsubscribe
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content_charset() == "utf-8"
    assert taken.text.rstrip("\r\n") == MESSAGE.text
    assert taken.content.isascii(), "every server takes it"


def test_who_bought_something_is_not_asked_whether_to_hear_of_it(smtp: LoopbackSmtp) -> None:
    mail = made(smtp, unsubscribe_mail="stop@shop.example", unsubscribe_url="https://shop.example/{{ id }}")
    sent(mail, [replace(LETTER, purpose="transactional")])
    assert smtp.taken[0].letter["List-Unsubscribe"] is None
    assert smtp.taken[0].letter["List-Unsubscribe-Post"] is None


def test_one_click_needs_a_url(smtp: LoopbackSmtp) -> None:
    """RFC 8058, 3.1."""
    sent(made(smtp, unsubscribe_mail="stop@shop.example"))
    assert "mailto:" in smtp.taken[0].letter["List-Unsubscribe"]
    assert smtp.taken[0].letter["List-Unsubscribe-Post"] is None


def test_without_a_title_the_first_line_is_the_subject(smtp: LoopbackSmtp) -> None:
    sent(made(smtp), [replace(LETTER, title="", text="\n  上新了  \n回来看看")])
    assert smtp.taken[0].letter["Subject"] == "上新了"


@pytest.mark.parametrize(
    "text",
    [
        ".", ".\r\n.", "a\n.\nb", "..", "x" * 3000, "一" * 3000, "tab\tand \x00 nought",
        "end \r\n.\r\nMAIL FROM:<a@b.c>",
    ],
)
def test_no_text_ends_the_letter_or_begins_another(smtp: LoopbackSmtp, text: str) -> None:
    assert isinstance(sent(made(smtp), [replace(LETTER, text=text)])[0], Accepted)
    (taken,) = smtp.taken
    assert taken.text.replace("\r\n", "\n").rstrip("\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "address",
    [
        "", "li", "@buyer.example", "li@", "a@b@c.example", "li@buyer.example\r\nBcc: x@y.example",
        "li@buyer.example>\r\nRCPT TO:<x@y.example", "li@buyer.example,x@y.example", "li x@buyer.example",
        "<li@buyer.example>", '"li\r\n"@buyer.example', "li@buyer..example", ".li@buyer.example",
        "l..i@b.example",
        "li.@buyer.example", "li@-buyer .example", "x" * 65 + "@buyer.example", "li@" + "b" * 64 + ".example",
        "=?utf-8?q?a?=@buyer.example", "İ@buyer.example", "ſ@buyer.example", "li@=?utf-8?q?a?=",
        "李@buyer.example", "li@buyer.example\0", "li@[127.0.0.1]", "li%y.example@\nbuyer.example",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_given_up_before_anything_is_written(
    smtp: LoopbackSmtp, address: str
) -> None:
    bad, good = sent(made(smtp), [replace(LETTER, id="0" * 32, to=f"email:{address}"), LETTER])
    assert isinstance(bad, Refused)
    assert (bad.verdict, bad.code) == ("give_up", "address")
    assert "\n" not in bad.reason
    assert isinstance(good, Accepted)
    assert [one.to for one in smtp.taken] == [["li@buyer.example"]]


def test_what_the_library_chokes_on_is_given_up_alone(
    smtp: LoopbackSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chokes(head: Letterhead, message: Message) -> Any:
        if message.text == "odd":
            raise AttributeError("'Group' object has no attribute 'local_part'")
        return write_letter(head, message)

    monkeypatch.setattr("sinks.channels.mail.mail.write_letter", chokes)
    first, *others = to_mail(3)
    outcomes = sent(made(smtp), [others[0], replace(first, text="odd"), others[1]])
    assert outcomes[1] == Refused("give_up", "letter", "no letter can be made of it: AttributeError")
    assert [type(one) for one in outcomes] == [Accepted, Refused, Accepted]
    assert len(smtp.taken) == 2


@pytest.mark.parametrize("host", ["shop.example", f"{'long.' * 30}example"])
@pytest.mark.parametrize("mail", ["", "stop@shop.example"])
@pytest.mark.parametrize("path", ["stop", "newsletter/" + "unsubscribe/" * 30])
def test_headers_for_programs_are_on_the_wire_as_they_were_written(
    smtp: LoopbackSmtp, host: str, mail: str, path: str
) -> None:
    """No program decodes =?utf-8?q?=3Chttps...: RFC 2047, section 5, allows it in none of them."""
    to = f"{'l' * 60}@{host}"
    url = f"https://www.{host}/{path}?m={{{{ id }}}}&c={{{{ customer }}}}"
    head = made(smtp, **{"from": f"hello@{host}"}, reply_to=f"desk@{host}", unsubscribe_mail=mail,
                unsubscribe_url=url)  # fmt: skip
    sent(head, [replace(LETTER, to=f"email:{to}")])
    (taken,) = smtp.taken
    lines = taken.content.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    filled = url.replace("{{ id }}", MESSAGE.id).replace("{{ customer }}", MESSAGE.customer)
    told = f", <mailto:{mail}?subject=unsubscribe%20{MESSAGE.id}>" if mail else ""
    assert headers["List-Unsubscribe"] == f"<{filled}>{told}"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Message-ID"] == f"<{MESSAGE.id}@{host}>"
    assert (headers["To"], headers["Reply-To"]) == (to, f"desk@{host}")
    assert max(map(len, taken.content.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1


def test_a_host_of_other_letters_is_written_in_ascii(smtp: LoopbackSmtp) -> None:
    sent(made(smtp), [replace(LETTER, to="email:li@邮件.example")])
    assert smtp.taken[0].to == ["li@xn--5nq051n.example"]


@pytest.mark.parametrize(
    ("command", "answer", "verdict"),
    [
        ("MAIL", "421 too many", "retry"), ("MAIL", "451 later", "retry"), ("MAIL", "452 full", "retry"),
        ("MAIL", "550 not your address", "stop"), ("MAIL", "530 log in", "stop"),
        ("MAIL", "552 too big", "give_up"),
        ("RCPT", "421 closing", "retry"), ("RCPT", "450 busy", "retry"), ("RCPT", "452 full", "retry"),
        ("RCPT", "550 nobody", "give_up"), ("RCPT", "553 no such name", "give_up"),
        ("RCPT", "530 log in", "stop"), ("RCPT", "535 wrong", "stop"),
        ("DATA", "451 later", "retry"), ("DATA", "421 closing", "retry"), ("DATA", "554 spam", "give_up"),
        ("DATA", "552 too big", "give_up"),
        ("MAIL", "break", "retry"), ("RCPT", "break", "retry"), ("DATA", "break", "unknown"),
    ],
)  # fmt: skip
def test_each_answer_has_its_meaning_and_spares_the_next(
    smtp: LoopbackSmtp, command: str, answer: str, verdict: str
) -> None:
    smtp.answers.put(command, answer)
    first, second = sent(made(smtp), [LETTER, replace(LETTER, id="2" * 32)])
    if verdict == "unknown":
        assert isinstance(first, Unknown)
    else:
        assert isinstance(first, Refused)
        assert first.verdict == verdict
        assert answer == "break" or (first.code == answer[:3] and first.reason.endswith(answer[4:]))
    assert isinstance(second, Accepted)
    assert [one.letter["Message-ID"] for one in smtp.taken] == [f"<{'2' * 32}@shop.example>"]


def to_mail(count: int) -> list[Message]:
    return [replace(one, to="email:li@buyer.example") for one in numbered(count)]


def test_a_batch_has_one_connection(smtp: LoopbackSmtp) -> None:
    assert all(isinstance(one, Accepted) for one in sent(made(smtp), to_mail(20)))
    assert len(smtp.connections) == 1


@pytest.mark.parametrize("how", ["break", "421 that was enough for one connection"])
def test_a_connection_that_ends_between_two_letters_is_made_anew(smtp: LoopbackSmtp, how: str) -> None:
    smtp.answers.put("MAIL", "250 OK", "250 OK", how)
    outcomes = sent(made(smtp), to_mail(5))
    assert all(isinstance(one, Accepted) for one in outcomes), outcomes
    assert len(smtp.connections) == 2
    assert len(smtp.taken) == 5


def test_a_server_that_is_away_is_asked_once_a_batch(
    smtp: LoopbackSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp.go_away()
    mail = made(smtp)
    asked = []
    connect: Callable[[], Any] = mail._connect

    async def counted() -> Any:
        asked.append(1)
        return await connect()

    monkeypatch.setattr(mail, "_connect", counted)
    outcomes = sent(mail, to_mail(10))
    assert {one.verdict for one in outcomes if isinstance(one, Refused)} == {"retry"}
    assert len(asked) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is loopback
@pytest.mark.parametrize(
    ("password_env", "expected"),
    [("MAIL_PASSWORD", None), ("WRONG", "535"), ("MISSING", "secret"), ("", "530")],
)
def test_who_logs_in_must_have_the_password(password_env: str, expected: str | None) -> None:
    smtp = LoopbackSmtp(password="right")
    try:
        user = "shop" if password_env else ""
        (outcome,) = sent(made(smtp, user=user, password_env=password_env))
        if expected is None:
            assert isinstance(outcome, Accepted)
        else:
            assert isinstance(outcome, Refused)
            assert (outcome.verdict, outcome.code) == ("stop", expected)
        assert len(smtp.taken) == (expected is None)
        assert "right" not in str(outcome)
    finally:
        smtp.stop()


@pytest.mark.parametrize("how", ["tls", "starttls"])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_letter_goes_out_encrypted_to_whom_the_certificate_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, trusted: bool
) -> None:
    files = make_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    smtp = LoopbackSmtp(implicit=context) if how == "tls" else LoopbackSmtp(starttls=context)
    try:
        (outcome,) = sent(made(smtp, host="localhost", tls=how))
        if trusted:
            assert isinstance(outcome, Accepted), outcome
        else:
            assert isinstance(outcome, Refused)
            assert outcome.verdict == "retry"
            assert smtp.taken == []
    finally:
        smtp.stop()


def test_a_server_without_encryption_gets_no_letter(smtp: LoopbackSmtp) -> None:
    (outcome,) = sent(made(smtp, tls="starttls"))
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"
    assert smtp.taken == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("from", "shop"), ("from", ""), ("from", "好店 <hello@shop.example>"),
        ("reply_to", "a@b.example\nBcc: c"),
        ("unsubscribe_mail", "stop"), ("unsubscribe_url", "http://shop.example/"), ("timeout", "soon"),
        ("unsubscribe_url", "https://shop.example/> <x"), ("unsubscribe_url", "https://shop.example/{who}"),
        ("unsubscribe_url", "https://shop.example/{"), ("unsubscribe_url", "https://a.example/" + "x" * 850),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(smtp: LoopbackSmtp, key: str, text: str) -> None:
    with pytest.raises(ValidationError):
        made(smtp, **{key: text})
