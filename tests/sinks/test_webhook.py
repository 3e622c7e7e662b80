"""A webhook: the contract, its signature, what each answer means, and what a URL must not reach."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Around, Provider
from sinks.channels.web.webhook import Webhook, WebhookSettings
from tests.sinks.certificate import make_certificate
from tests.sinks.loopback_http import FarHttp, LoopbackHttp, Reply
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed, numbered

NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
ENVIRONMENT = {"HOOK_NEW": NEW, "HOOK_OLD": OLD, "SHORT": "whsec_c2hvcnQ=", "NO_BASE64": "whsec_???"}
STATUS = {"retry": 503, "give_up": 400, "stop": 410}


def made(port: int, find: Any = None, **changed: Any) -> Webhook:
    """Return a webhook to a port of loopback."""
    told: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}/hook", "secrets_env": ["HOOK_NEW"], "allow": ["127.0.0.1"],
        "plain_http": True, "timeout": "2s",
    } | changed  # fmt: skip
    settings, around = WebhookSettings(**told), Around(Path(), print, environment=ENVIRONMENT)
    return Webhook(settings, around, find) if find else Webhook(settings, around)


class FarHook(FarHttp):
    """A receiver on loopback."""

    def __init__(self) -> None:
        super().__init__()
        self.provider: Provider = made(self.http.port)

    def came_out(self) -> Sequence[str]:
        return [json.loads(one.body)["data"]["text"] for one in self.http.taken]

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.http.next.append(Reply(STATUS[verdict], b"not now"))
        return True


class TestWebhook(ProviderContract):
    @pytest.fixture
    def far(self) -> Iterator[FarHook]:
        far = FarHook()
        yield far
        far.http.go_away()


@pytest.fixture
def http() -> Iterator[LoopbackHttp]:
    server = LoopbackHttp()
    yield server
    server.go_away()


def sent(hook: Webhook, messages: Sequence[Any] = (MESSAGE,)) -> list[Outcome]:
    """Open, send and close."""

    async def work() -> list[Outcome]:
        await hook.open()
        try:
            return await handed(hook, messages)
        finally:
            await hook.close()

    return asyncio.run(work())


def test_the_body_has_the_shape_of_standard_webhooks(http: LoopbackHttp) -> None:
    sent(made(http.port), [replace(MESSAGE, expires=1_772_500_000.0)])
    assert json.loads(http.taken[0].body) == {
        "id": MESSAGE.id, "type": "message.send", "timestamp": "2026-03-01T21:20:00Z",
        "data": {
            "to": "phone:13800001001", "customer": "cd" * 16, "channel": "sms", "template": "thanks",
            "trigger": "thanks", "purpose": "marketing", "priority": 0, "title": "谢谢",
            "text": "谢谢您的第 3 单！😀", "expires": 1_772_500_000.0, "values": {"orders": "3"},
        },
    }  # fmt: skip
    assert http.taken[0].headers["content-type"] == "application/json"
    assert http.taken[0].headers["webhook-id"] == MESSAGE.id
    assert abs(int(http.taken[0].headers["webhook-timestamp"]) - time.time()) < 60


def test_the_library_of_standard_webhooks_verifies_it(http: LoopbackHttp) -> None:
    sent(made(http.port))
    taken = http.taken[0]
    assert Verifier(NEW).verify(taken.body, dict(taken.headers))["id"] == MESSAGE.id
    with pytest.raises(WebhookVerificationError):
        Verifier(OLD).verify(taken.body, dict(taken.headers))
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW).verify(taken.body.replace(b"13800001001", b"13800001002"), dict(taken.headers))


def test_an_independent_hmac_verifies_it(http: LoopbackHttp) -> None:
    """Standard Webhooks, Symmetric: HMAC-SHA256 over id.timestamp.body, in base64, behind ``v1,``."""
    sent(made(http.port))
    taken = http.taken[0]
    told = f"{MESSAGE.id}.{taken.headers['webhook-timestamp']}.".encode() + taken.body
    digest = hmac.digest(b"n" * 32, told, hashlib.sha256)
    assert taken.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_while_secrets_change_it_is_signed_with_each(http: LoopbackHttp) -> None:
    sent(made(http.port, secrets_env=["HOOK_NEW", "HOOK_OLD"]))
    taken = http.taken[0]
    assert taken.headers["webhook-signature"].count("v1,") == 2
    for secret in (NEW, OLD):
        Verifier(secret).verify(taken.body, dict(taken.headers))


def test_what_is_sent_again_has_the_same_id_and_body(http: LoopbackHttp) -> None:
    hook = made(http.port)
    sent(hook)
    sent(hook)
    assert [one.headers["webhook-id"] for one in http.taken] == [MESSAGE.id] * 2
    assert http.taken[0].body == http.taken[1].body


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["MISSING"], "MISSING is not set"),
        (["HOOK_NEW", "MISSING"], "MISSING is not set"),
        (["SHORT"], "SHORT has 5 bytes"),
        (["NO_BASE64"], "NO_BASE64 is no secret"),
    ],
)
def test_without_a_good_secret_nothing_is_sent(http: LoopbackHttp, names: list[str], told: str) -> None:
    outcomes = sent(made(http.port, secrets_env=names), numbered(2))
    assert [one.verdict for one in outcomes if isinstance(one, Refused)] == ["stop", "stop"]
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].reason.startswith(told)
    assert NEW not in str(outcomes)
    assert http.requests == []


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, None), (201, None), (202, None), (204, None),
        (300, "stop"), (301, "stop"), (302, "stop"), (307, "stop"), (308, "stop"), (304, "stop"),
        (400, "give_up"), (401, "stop"), (403, "give_up"), (404, "give_up"), (409, "give_up"),
        (413, "give_up"),
        (408, "retry"), (425, "retry"), (429, "retry"), (410, "stop"),
        (501, "retry"), (503, "retry"), (505, "retry"),
    ],
)  # fmt: skip
def test_each_status_has_its_meaning(http: LoopbackHttp, status: int, verdict: str | None) -> None:
    body = b"" if status in (204, 304) else b"told\n why"
    http.next.append(Reply(status, body, {"Location": "http://127.0.0.1:1/elsewhere"}))
    (outcome,) = sent(made(http.port))
    assert len(http.requests) == 1, "no redirect is followed and nothing is tried twice"
    if verdict is None:
        assert outcome == Accepted(MESSAGE.id)
        return
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == (verdict, str(status))
    if status >= 400:
        assert outcome.reason == "told why"


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_a_server_that_fails_may_have_taken_it(http: LoopbackHttp, status: int) -> None:
    http.next.append(Reply(status, b"told\n why"))
    assert sent(made(http.port)) == [Unknown(f"status {status}: told why")]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("120", 120, 120), ("0", 0, 0), ("in an hour", 3000, 3600), ("Thu, 01 Jan 1998 00:00:00 GMT", 0, 0)],
)
def test_the_other_side_says_when_to_come_again(
    http: LoopbackHttp, text: str, least: float, most: float
) -> None:
    if text == "in an hour":
        text = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    http.next.append(Reply(429, headers={"Retry-After": text}))
    (outcome,) = sent(made(http.port))
    assert isinstance(outcome, Refused)
    assert outcome.after is not None
    assert least <= outcome.after <= most


@pytest.mark.parametrize("text", ["soon", "-1", "1e9", "9" * 400, "١٢", ""])
def test_a_time_that_cannot_be_read_is_none(http: LoopbackHttp, text: str) -> None:
    http.next.append(Reply(503, headers={"Retry-After": text.encode().decode("latin-1")}))
    (outcome,) = sent(made(http.port))
    assert isinstance(outcome, Refused)
    assert outcome.after is None


def test_a_body_without_end_is_not_read(http: LoopbackHttp) -> None:
    http.next.append(Reply(200, b"x" * 1_000_000, {"Content-Length": "1000000000"}))
    before = time.monotonic()
    assert sent(made(http.port, timeout="5s")) == [Accepted(MESSAGE.id)]
    assert time.monotonic() - before < 5


def test_a_body_that_breaks_off_does_not_undo_the_status(http: LoopbackHttp) -> None:
    http.next.append(Reply(200, b"half", {"Content-Length": "8", "Connection": "close"}))
    assert sent(made(http.port)) == [Accepted(MESSAGE.id)]


def test_one_who_never_answers_leaves_it_unknown() -> None:
    """The message is written: it may be taken in at any moment."""
    with silent() as port:
        (outcome,) = sent(made(port, timeout="1s"))
    assert isinstance(outcome, Unknown)


def test_so_many_connections_are_open_and_they_are_kept(http: LoopbackHttp) -> None:
    sent(made(http.port, connections=3), numbered(30))
    assert len({one.connection for one in http.taken}) <= 3
    assert http.most_at_once <= 3


def silent() -> Any:
    """Return a port that is connected to and never answers, as a context."""
    import contextlib
    import socket

    @contextlib.contextmanager
    def listening() -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield listener.getsockname()[1]

    return listening()


async def to_loopback(host: str, port: int, family: int) -> list[str]:
    """Resolve every name to loopback."""
    return ["127.0.0.1"]


def test_the_certificate_must_be_the_name_s_although_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make_certificate(tmp_path, "hook.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    server = LoopbackHttp(context)
    try:
        for host, expected in (("hook.example", Accepted), ("other.example", Refused)):
            hook = made(
                server.port, to_loopback, url=f"https://{host}:{server.port}/", plain_http=False,
                allow=["127.0.0.0/8"],
            )  # fmt: skip
            (outcome,) = sent(hook)
            assert type(outcome) is expected, outcome
        assert names == ["hook.example", "other.example"]
        assert len(server.taken) == 1
        assert server.taken[0].headers["host"] == f"hook.example:{server.port}"
    finally:
        server.go_away()


def test_a_loop_may_be_left_and_another_one_taken(http: LoopbackHttp) -> None:
    hook = made(http.port)
    for _ in range(2):
        loop = Loop()
        loop.run(hook.open())
        assert loop.run(handed(hook, [MESSAGE])) == [Accepted(MESSAGE.id)]
        loop.run(hook.close())
        loop.close()
