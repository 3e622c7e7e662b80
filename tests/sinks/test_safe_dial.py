"""Tricks by which a URL reaches what it must not: refused where it is written, or where it is dialed."""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sinks.channels.outcome import Accepted, Outcome, Refused
from sinks.channels.provider import Around
from sinks.channels.web.safe_dial import AddressRefused, Guard, GuardedResolver, look_up, why_refused
from sinks.channels.web.webhook import Webhook, WebhookSettings
from tests.sinks.loopback_http import LoopbackHttp, Reply
from tests.sinks.provider_contract import MESSAGE, handed
from tests.sinks.test_webhook import NEW

# what it is, the address
REFUSED = [
    ("loopback", "127.0.0.1"), ("another loopback", "127.255.255.254"), ("this host", "0.0.0.0"),
    ("this network", "0.1.2.3"), ("private", "10.0.0.1"), ("private", "172.16.0.1"),
    ("private", "172.31.255.255"), ("private", "192.168.1.1"), ("shared", "100.64.0.1"),
    ("metadata of AWS, Google, Azure, Huawei", "169.254.169.254"),
    ("metadata of AWS's containers", "169.254.170.2"),
    ("metadata of Tencent", "169.254.0.23"), ("metadata of Alibaba", "100.100.100.200"),
    ("metadata of Oracle", "192.0.0.192"), ("Azure's own", "168.63.129.16"), ("protocols", "192.0.0.8"),
    ("documentation", "192.0.2.1"), ("documentation", "198.51.100.1"), ("documentation", "203.0.113.1"),
    ("6to4 relay", "192.88.99.1"), ("benchmarks", "198.19.255.255"), ("multicast", "224.0.0.1"),
    ("multicast", "239.255.255.250"), ("reserved", "240.0.0.1"), ("broadcast", "255.255.255.255"),
    ("loopback", "::1"), ("unspecified", "::"), ("IPv4-mapped loopback", "::ffff:127.0.0.1"),
    ("IPv4-mapped metadata", "::ffff:a9fe:a9fe"), ("IPv4-compatible loopback", "::127.0.0.1"),
    ("IPv4-translated", "::ffff:0:127.0.0.1"), ("NAT64 of loopback", "64:ff9b::7f00:1"),
    ("NAT64 of a public address", "64:ff9b::808:808"), ("local NAT64", "64:ff9b:1::7f00:1"),
    ("6to4 of loopback", "2002:7f00:1::"), ("6to4 of private", "2002:a00:1::1"), ("Teredo", "2001::1"),
    ("ORCHID", "2001:10::1"), ("ORCHID 2", "2001:20::1"), ("benchmarks", "2001:2::1"),
    ("documentation", "2001:db8::1"), ("documentation", "3fff::1"), ("segment routing", "5f00::1"),
    ("discard", "100::1"), ("unique local", "fc00::1"), ("metadata of AWS by IPv6", "fd00:ec2::254"),
    ("link local", "fe80::1"), ("link local with a zone", "fe80::1%eth0"), ("site local", "fec0::1"),
    ("multicast", "ff02::1"),
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255",
    "172.32.0.1", "192.0.1.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "168.63.129.17",
    "47.100.1.1",
    "2400:3200::1", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8",
]  # fmt: skip
# what it is, the URL: refused where it is written
WRITTEN = [
    ("loopback", "https://127.0.0.1/"), ("with a port", "https://127.0.0.1:8443/"),
    ("decimal", "https://2130706433/"), ("octal", "https://0177.0.0.1/"), ("octal whole", "https://017700000001/"),
    ("hexadecimal", "https://0x7f000001/"), ("hexadecimal in parts", "https://0x7f.0.0.1/"),
    ("two parts", "https://127.1/"), ("three parts", "https://127.0.1/"), ("one nought", "https://0/"),
    ("noughts before", "https://127.000.000.001/"), ("overflowing", "https://127.0.0.257/"),
    ("a dot behind", "https://127.0.0.1./"), ("metadata", "https://169.254.169.254/latest/meta-data/"),
    ("metadata in decimal", "https://2852039166/"), ("unspecified", "https://0.0.0.0/"),
    ("loopback in brackets", "https://[::1]/"), ("unspecified in brackets", "https://[::]/"),
    ("mapped", "https://[::ffff:127.0.0.1]/"), ("mapped in hexadecimal", "https://[::ffff:7f00:1]/"),
    ("written out", "https://[0:0:0:0:0:0:0:1]/"), ("6to4", "https://[2002:7f00:1::]/"),
    ("NAT64", "https://[64:ff9b::127.0.0.1]/"), ("a zone", "https://[fe80::1%25eth0]/"),
    ("a zone unquoted", "https://[fe80::1%eth0]/"), ("a user that looks like a host", "https://shop.example@127.0.0.1/"),
    ("a user", "https://me@shop.example/"), ("a password", "https://me:secret@shop.example/"),
    ("an empty user", "https://@shop.example/"), ("a backslash", "https://shop.example\\@127.0.0.1/"),
    ("a fragment before the at", "https://shop.example#@127.0.0.1/"),
    ("full-width digits", "https://１２７.０.０.１/"), ("digits in circles", "https://①②⑦.⓪.⓪.①/"),
    ("Arabic digits", "https://١٢٧.٠.٠.١/"), ("an ideographic dot", "https://127。0。0。1/"),
    ("letters that fold", "https://ⓛocalhost/"), ("a name not in ASCII", "https://商店.example/"),
    ("a soft hyphen", "https://local\u00adhost/"), ("a space", "https://shop.example /"),
    ("a tab", "https://127.0.\t0.1/"), ("a line's end", "https://shop.example/\r\nHost: x"),
    ("a nought byte", "https://shop.example\0.evil.example/"), ("quoted dots", "https://127%2e0%2e0%2e1/"),
    ("no encryption", "http://shop.example/"), ("a file", "file:///etc/passwd"), ("ftp", "ftp://shop.example/"),
    ("gopher", "gopher://127.0.0.1:6379/_x"), ("data", "data:text/plain,x"), ("a socket", "unix:///run/x.sock"),
    ("no scheme", "//127.0.0.1/"), ("a path only", "/hook"), ("nothing", ""), ("no host", "https:///hook"),
    ("no host but a port", "https://:443/"), ("port 0", "https://shop.example:0/"),
    ("a port too far", "https://shop.example:65536/"), ("a port in words", "https://shop.example:http/"),
    ("brackets without end", "https://[::1/"), ("two dots", "https://shop..example/"),
    ("a label too long", f"https://{'a' * 64}.example/"),
]  # fmt: skip
# what it is, the URL, what DNS answers: refused where it is dialed
DIALED = [
    ("a name for loopback", "https://localhost/", ["127.0.0.1"]),
    ("a name for loopback by IPv6", "https://localhost/", ["::1"]),
    ("a public name for a private address", "https://hook.example/", ["10.1.2.3"]),
    ("a name that says its address", "https://127.0.0.1.nip.example/", ["127.0.0.1"]),
    ("metadata by name", "https://metadata.google.internal/", ["169.254.169.254"]),
    ("an alias that ends inside", "https://alias.example/", ["100.100.100.200"]),
    ("a public and a private one", "https://two.example/", ["8.8.8.8", "192.168.0.1"]),
    ("a private and a public one", "https://two.example/", ["192.168.0.1", "8.8.8.8"]),
    ("mapped", "https://mapped.example/", ["::ffff:10.0.0.1"]),
    ("NAT64", "https://nat.example/", ["64:ff9b::a00:1"]),
    ("a dot behind", "https://localhost./", ["127.0.0.1"]),
    ("punycode", "https://xn--5nq051n.example/", ["0.0.0.0"]),
]


def settings(**changed: Any) -> WebhookSettings:
    told = {"url": "https://shop.example/", "secrets_env": ["HOOK"], "timeout": "2s"} | changed
    return WebhookSettings(**told)


def sent(told: WebhookSettings, find: Any = look_up, times: int = 1) -> list[Outcome]:
    """Send a message so many times, each over a new connection."""

    async def work() -> list[Outcome]:
        hook = Webhook(told, Around(Path(), print, environment={"HOOK": NEW}), find)
        outcomes: list[Outcome] = []
        for _ in range(times):
            await hook.open()
            outcomes += await handed(hook, [MESSAGE])
            await hook.close()
        return outcomes

    return asyncio.run(work())


@pytest.fixture
def http() -> Iterator[LoopbackHttp]:
    server = LoopbackHttp()
    yield server
    server.go_away()


@pytest.mark.parametrize(("what", "text"), REFUSED)
def test_addresses_that_only_this_machine_can_reach_are_refused(what: str, text: str) -> None:
    assert why_refused(ipaddress.ip_address(text)), what
    with pytest.raises(AddressRefused, match="name it under 'allow'"):
        Guard().check("shop.example", text)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    Guard().check("shop.example", text)


def test_whatever_python_calls_not_global_is_refused_too() -> None:
    """The registries that Python was built with must not know more than the table does."""
    random_numbers = random.Random(4)
    samples: list[Any] = [ipaddress.IPv4Address(random_numbers.getrandbits(32)) for _ in range(20_000)]
    samples += [ipaddress.IPv6Address(random_numbers.getrandbits(128)) for _ in range(5_000)]
    near = 0x2001 << 112
    samples += [ipaddress.IPv6Address(near + random_numbers.getrandbits(110)) for _ in range(5_000)]
    for network in (*ipaddress.IPv4Address._constants._private_networks,  # type: ignore[attr-defined]
                    *ipaddress.IPv6Address._constants._private_networks):  # type: ignore[attr-defined]
        samples += [network[0], network[-1]]
    missed = [one for one in samples if not one.is_global and why_refused(one) is None]
    assert missed == []


@pytest.mark.parametrize(("what", "url"), WRITTEN)
def test_a_url_that_plays_tricks_is_refused_where_it_is_written(what: str, url: str) -> None:
    with pytest.raises(ValidationError) as told:
        settings(url=url)
    (error,) = told.value.errors()
    assert error["loc"] == ("url",)
    assert "; " in str(error["ctx"]["error"]), "what is wrong; what to do"


@pytest.mark.parametrize(("what", "url", "answers"), DIALED)
def test_a_name_that_leads_inside_is_refused_where_it_is_dialed(
    what: str, url: str, answers: list[str]
) -> None:
    async def find(host: str, port: int, family: int) -> list[str]:
        return answers

    (outcome,) = sent(settings(url=url), find)
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("stop", "address")


def test_the_real_resolver_is_guarded_too(http: LoopbackHttp) -> None:
    (outcome,) = sent(settings(url=f"http://localhost:{http.port}/", plain_http=True))
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("stop", "address")
    assert "localhost is at" in outcome.reason
    assert http.requests == []


def test_a_name_that_changes_its_address_is_caught_at_the_next_connection(http: LoopbackHttp) -> None:
    """DNS rebinding: the first answer is allowed, the second is not; nothing is asked in between."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked: list[str] = []

    async def find(host: str, port: int, family: int) -> list[str]:
        asked.append(host)
        return next(answers)

    told = settings(url=f"http://hook.example:{http.port}/", plain_http=True, allow=["127.0.0.0/8"])
    first, second = sent(told, find, times=2)
    assert first == Accepted(MESSAGE.id)
    assert isinstance(second, Refused)
    assert second.code == "address"
    assert asked == ["hook.example"] * 2, "the address that was checked is the one that was connected to"


def test_the_socket_is_checked_even_where_the_name_was_not(http: LoopbackHttp) -> None:
    """An address in place of a name meets no resolver."""
    make = Guard().made_for("127.0.0.1")
    with pytest.raises(AddressRefused):
        make((2, 1, 6, "", ("127.0.0.1", http.port)))
    with pytest.raises(AddressRefused):
        make((10, 1, 6, "", ("::ffff:127.0.0.1", http.port, 0, 0)))


def test_a_redirect_to_the_inside_is_not_followed(http: LoopbackHttp) -> None:
    inside = LoopbackHttp()
    try:
        told = settings(url=f"http://127.0.0.1:{http.port}/", plain_http=True, allow=["127.0.0.1"])
        for status in (301, 302, 303, 307, 308):
            http.next.append(Reply(status, headers={"Location": f"http://127.0.0.1:{inside.port}/"}))
            (outcome,) = sent(told)
            assert isinstance(outcome, Refused)
            assert outcome.verdict == "stop"
        assert inside.requests == []
    finally:
        inside.go_away()


def test_no_proxy_of_the_environment_is_used(http: LoopbackHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy nobody here would see the address."""
    proxy = LoopbackHttp()
    try:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        told = settings(url=f"http://127.0.0.1:{http.port}/", plain_http=True, allow=["127.0.0.1"])
        assert sent(told) == [Accepted(MESSAGE.id)]
        assert proxy.requests == []
    finally:
        proxy.go_away()


def test_only_what_is_named_is_allowed() -> None:
    guard = Guard(["Hooks.Internal", "10.1.0.0/16", "192.168.1.7", "fd00::/8"])
    for host, address in (
        ("hooks.internal.", "172.16.0.1"), ("x", "10.1.255.1"), ("x", "192.168.1.7"), ("x", "fd00::1"),
        ("x", "::ffff:10.1.0.1"),
    ):  # fmt: skip
        guard.check(host, address)
    for host, address in (
        ("x.hooks.internal", "172.16.0.1"), ("hooks.internal.evil.example", "172.16.0.1"), ("x", "10.2.0.1"),
        ("x", "192.168.1.8"), ("x", "fe80::1"), ("x", "127.0.0.1"),
    ):  # fmt: skip
        with pytest.raises(AddressRefused):
            guard.check(host, address)


@pytest.mark.parametrize("one", ["10.0.0.0/33", "*.internal", "", "http://x", "a b", "1.2.3.4/255.0.255.0"])
def test_what_is_allowed_must_be_a_host_or_a_network(one: str) -> None:
    with pytest.raises(ValidationError, match="is no host or network"):
        settings(allow=[one])


def test_a_private_address_may_be_written_where_it_is_allowed() -> None:
    assert settings(url="https://10.0.0.1/", allow=["10.0.0.0/8"]).url == "https://10.0.0.1/"


def test_addresses_come_in_the_order_of_preference_and_once() -> None:
    found = asyncio.run(look_up("localhost", 80, 2))
    assert found == ["127.0.0.1"]
    resolver = GuardedResolver(Guard(["localhost"]))
    (one,) = asyncio.run(resolver.resolve("localhost", 80, 2))
    assert (one["host"], one["hostname"], one["port"]) == ("127.0.0.1", "localhost", 80)
