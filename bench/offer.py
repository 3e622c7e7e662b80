"""Hands a load's requests in when they are due: to the service itself, or over HTTP from another process."""

from __future__ import annotations

import http.client
import multiprocessing
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection

import numpy as np

from app.service import Service
from bench.schedule import Floats, Load
from streams.arrive import Arrived
from streams.message import Message

ANSWER_SECONDS = 60.0
CONNECTIONS = 64  # of the HTTP client: so many that a request that is due hardly ever waits for one
OK = 200


def offer(service: Service, load: Load, began: float) -> Floats:
    """Hand the requests in, each at ``began`` (monotonic) + its due time.

    Returns the moment at which each was accepted, float64. Raises ValueError if one was rejected.
    """
    accepted = np.full(len(load.due), np.inf)

    def note(number: int, _done: Future[Arrived]) -> None:
        accepted[number] = time.monotonic()

    futures = []
    for number, (due, request) in enumerate(zip(load.due, load.requests, strict=True)):
        _wait_until(began + due)
        future = service.accept(messages_of(request))
        future.add_done_callback(partial(note, number))
        futures.append(future)
    for future in futures:
        check(future.result(ANSWER_SECONDS))
    return accepted


def messages_of(request: list[tuple[str, bytes]]) -> list[Message]:
    """Return a request's messages."""
    return [Message(source, "feed/0/0", value) for source, value in request]


def check(arrived: Arrived) -> None:
    """Raise ValueError if a message was rejected: the figures would be of something else."""
    if arrived.rejected:
        raise ValueError(f"rejected: {arrived.rejected[0].problem}")


def _wait_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0:
        time.sleep(left)


@dataclass(frozen=True)
class Address:
    """Of the HTTP API. key: with the right to write."""

    host: str
    port: int
    key: str


class HttpClient:
    """A process that sends a load. Use it in this order: `__init__`, `begin`, `result`."""

    def __init__(self, address: Address, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_send_all, args=(address, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._ours.send(load)
        self._ours.recv()  # it is ready

    def begin(self, moment: float) -> None:
        """Say when the load begins."""
        self._ours.send(moment)

    def result(self) -> Floats:
        """Return the moment at which each request was answered. Raises ValueError if one was refused."""
        try:
            found: Floats | str = self._ours.recv()
        finally:
            self._process.join()
        if isinstance(found, str):
            raise ValueError(found)
        return found


def _send_all(address: Address, pipe: Connection) -> None:
    load: Load = pipe.recv()
    pipe.send("ready")
    began: float = pipe.recv()
    sender = _Sender(address, load, began)
    threads = [threading.Thread(target=sender.run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(sender.refused or sender.answered)


class _Sender:
    """Several threads take the next request in turn, wait until it is due, and send it."""

    def __init__(self, address: Address, load: Load, began: float) -> None:
        self._address, self._load, self._began = address, load, began
        self._next = 0
        self._lock = threading.Lock()
        self.answered = np.full(len(load.due), np.inf)
        self.refused = ""

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._address.host, self._address.port, ANSWER_SECONDS)
        headers = {
            "Authorization": f"Bearer {self._address.key}", "Content-Type": "application/x-ndjson"
        }  # fmt: skip
        while not self.refused:
            with self._lock:
                number = self._next
                self._next += 1
            if number >= len(self._load.due):
                break
            request = self._load.requests[number]
            body = b"\n".join(message for _, message in request)
            _wait_until(self._began + self._load.due[number])
            connection.request("POST", f"/v1/sources/{request[0][0]}", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            self.answered[number] = time.monotonic()
            if answer.status != OK or b'"rejected":[]' not in text:
                self.refused = f"{answer.status}: {text[:300].decode(errors='replace')}"
        connection.close()
