"""Kannel's programs beside ours, in a network of their own: ``python -m tests.servers.kannel_room CASE DIR``.

Kannel's simulator listens on every address and asks for a bearerbox at a port that cannot be chosen. So this
program is started under ``unshare --net``, where nothing but it and what it starts is in reach. It prints
what it saw as JSON. DIR: for settings and logs.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from deploy.servers.debian import path_of
from sinks.channels.outcome import Accepted
from sinks.channels.provider import Around
from sinks.channels.smpp.inbound import Written, is_receipt
from sinks.channels.smpp.link import Link
from sinks.channels.smpp.settings import SmppSettings
from sinks.channels.smpp.smpp import Smpp
from tests.sinks.loopback_smsc import LoopbackSmsc
from tests.sinks.provider_contract import MESSAGE, handed

SIMULATOR = "/usr/lib/kannel/test/drive_smpp"
PROGRAMS = (SIMULATOR, "bearerbox", "smsbox")
SIMULATED, BEARERBOX, SENDING, TOLD = 2345, 13001, 13013, 8001
WRITTEN = 20  # by the simulator
# Kannel cuts an emoji in two at the end of a part, so there is none among them.
TEXTS = ("hello", "a" * 161, "a" * 152 + "€" * 5, "字" * 70, "字" * 135)
WAIT_SECONDS = 60.0
SETTINGS = """
group = core
admin-port = 13000
admin-password = bar
smsbox-port = 13001
dlr-storage = internal

group = smsc
smsc = smpp
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = foo
smsc-password = bar
system-type = VMA
enquire-link-interval = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 13013

group = sendsms-user
username = tester
password = foobar
max-messages = 10
concatenation = true

group = sms-service
keyword = default
get-url = "http://127.0.0.1:8001/written?from=%p&text=%b"
max-messages = 0
"""


def lift_loopback() -> None:
    """A new network begins with its loopback down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


@contextmanager
def running(log: Path, *command: str) -> Iterator[None]:
    """Run one of Kannel's programs."""
    with log.open("wb") as file:
        started = subprocess.Popen([path_of(command[0]), *command[1:]], stdout=file, stderr=file)
    try:
        yield
    finally:
        started.kill()
        started.wait()


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def simulator(folder: Path) -> Mapping[str, Any]:
    """Our provider at Kannel's simulator of an SMSC: a transmitter, and a receiver for what it sends."""
    with socket.create_server(("127.0.0.1", BEARERBOX)):  # it looks for one, and ends if there is none
        log = folder / "simulator.log"
        with running(log, SIMULATOR, "-v", "0", "-p", str(SIMULATED), "-m", str(WRITTEN)):
            until(lambda: b"accept_thread) maps" in log.read_bytes())
            return asyncio.run(_at_simulator(log))


async def _at_simulator(log: Path) -> Mapping[str, Any]:
    settings = SmppSettings(
        host="127.0.0.1", port=SIMULATED, system_id="foo", password_env="PASSWORD", bind="transmitter"
    )
    provider = Smpp(settings, Around(Path(), print, environment={"PASSWORD": "bar"}))
    await provider.open()
    texts = [replace(MESSAGE, id=f"{n:032x}", text=text) for n, text in enumerate(TEXTS)]
    outcomes = await handed(provider, texts)
    heard: list[str] = []
    written = Written()
    receiver = Link(
        10, 30, 10, lambda pdu: heard.append("a receipt" if is_receipt(pdu) else _text(written.read(pdu)))
    )
    await asyncio.get_running_loop().create_connection(lambda: receiver, "127.0.0.1", SIMULATED)
    await receiver.ask("bind_receiver", system_id="foo", password="bar")
    # it begins to send behind the bind's answer, with the next PDU that comes
    receiver.enquire()
    async with asyncio.timeout(WAIT_SECONDS):
        while len(heard) < WRITTEN or log.read_bytes().count(b"type enquire_link_resp") < WRITTEN:
            await asyncio.sleep(0.02)
    told = log.read_bytes().decode("latin-1")
    await provider.close()
    receiver.end("done")
    return {
        "outcomes": [one.parts if isinstance(one, Accepted) else str(one) for one in outcomes],
        "submits": told.count("of type submit_sm"),
        "heard": heard,
        "answers": told.count("of type deliver_sm_resp"),
        "faults": re.findall(".*(?:WARNING|ERROR|PANIC).*", told),
    }


def _text(receipt: Any) -> str:
    return str(receipt and receipt.text)


class Told(BaseHTTPRequestHandler):
    """Notes what Kannel tells by HTTP."""

    paths: list[str] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def gateway(folder: Path) -> Mapping[str, Any]:
    """Kannel's gateway at the SMSC of our tests, so that a client of others has tried it."""
    smsc = LoopbackSmsc()
    (folder / "kannel.conf").write_text(SETTINGS.format(port=smsc.port), "ascii")
    web = HTTPServer(("127.0.0.1", TOLD), Told)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with running(folder / "bearerbox.log", "bearerbox", "-v", "0", str(folder / "kannel.conf")):
        until(lambda: listens(BEARERBOX))
        with running(folder / "smsbox.log", "smsbox", "-v", "0", str(folder / "kannel.conf")):
            until(lambda: listens(SENDING) and smsc.binds)
            return _at_gateway(smsc)


def _at_gateway(smsc: LoopbackSmsc) -> Mapping[str, Any]:
    sent: dict[str, list[str]] = {}
    for text in TEXTS:
        before = len(smsc.submitted)
        query = {
            "username": "tester", "password": "foobar", "from": "123", "to": "13800001001", "text": text,
            "charset": "UTF-8", "coding": "0" if "字" not in text else "2", "dlr-mask": "3",
            "dlr-url": f"http://127.0.0.1:{TOLD}/receipt?type=%d&id=%F",
        }  # fmt: skip
        with urlopen(f"http://127.0.0.1:{SENDING}/cgi-bin/sendsms?{urlencode(query)}", timeout=10) as answer:
            assert 200 <= answer.status < 300
        until(partial(_has_whole, smsc, before))
        sent[text] = [one.content.hex() for one in smsc.submitted[before:]]
    smsc.receipt("00000001")
    until(lambda: any(path.startswith("/receipt") for path in Told.paths))
    smsc.write("13800001001", "字" * 100, room=60)
    until(lambda: any(path.startswith("/written") for path in Told.paths))
    until(lambda: smsc.enquiries)
    return {"bind": smsc.binds[0].kind, "sent": sent, "told": Told.paths, "answered": smsc.answered}


def _has_whole(smsc: LoopbackSmsc, before: int) -> bool:
    submitted = smsc.submitted[before:]
    return bool(submitted) and (submitted[0].part is None or submitted[0].part[1] == len(submitted))


if __name__ == "__main__":
    lift_loopback()
    case = {"simulator": simulator, "gateway": gateway}[sys.argv[1]]
    print(json.dumps(case(Path(sys.argv[2])), ensure_ascii=False))  # noqa: T201 - what the test reads
