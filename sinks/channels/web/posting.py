"""POST over HTTPS for providers: what settings say of it, and which answers say that nothing was written."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationInfo, field_validator

from sinks.channels.outcome import Refused, Unknown
from sinks.channels.settings import ProviderSettings, parse_seconds
from sinks.channels.web.safe_dial import AddressRefused, Guard, GuardedResolver, LookUp, look_up

if TYPE_CHECKING:
    import asyncio

    import aiohttp

_HOST = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_URL_SIGNS = re.compile(r"[!-\[\]-~]+")  # ASCII without spaces, control characters and the backslash
_USER = re.compile(r"[^/?#]*//[^/?#]*@")
# Of failing servers, these say that the request was not handled: 501 "does not support the functionality
# required to fulfill the request", 503 "is currently unable to handle the request", 505 "refuses to support
# the major version of HTTP" (RFC 9110, 15.6). 500 may come behind whatever was done; 502 and 504 are of a
# gateway that does not know what the server behind it did.
NOT_HANDLED = (501, 503, 505)
MOST_BYTES = 16_384  # of an answer; what a receiver has to say is a sentence
# A connection that has been idle for longer is not used again: gunicorn closes after 2 s, node and uvicorn
# after 5, and a request that meets the closing leaves its message unknown.
IDLE_SECONDS = 1.5


class PostingSettings(ProviderSettings):
    """What every kind that posts over HTTP has."""

    allow: list[str] = Field(
        default=[],
        description="hosts, addresses or networks that may be reached although they are private or special",
    )
    plain_http: bool = Field(default=False, description="http:// is taken too, not https:// only")
    timeout: str = Field(default="10s", description="length: for connecting, and again for the answer")
    connections: int = Field(default=8, ge=1, le=256, description="most that are open at the same time")

    @field_validator("timeout")
    @classmethod
    def _is_length(cls, text: str) -> str:
        parse_seconds(text)
        return text

    @field_validator("allow")
    @classmethod
    def _are_hosts(cls, allow: list[str]) -> list[str]:
        for one in allow:
            if not is_network(one) and not _HOST.fullmatch(one):
                raise ValueError(f"'{one}' is no host or network; write one such as 10.1.0.0/16")
        return allow


def is_network(text: str) -> bool:
    """Return whether it is an address or a network, not a name."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def check_url(text: str, told: ValidationInfo) -> str:
    """Return a URL that may be posted to; for a validator of a `PostingSettings`. Raises ValueError.

    A name is not looked up here: where it leads is checked whenever it is connected to.
    """
    from yarl import URL  # only shops that post import it

    if not _URL_SIGNS.fullmatch(text):
        raise ValueError(f"'{text}' has signs that no URL has; write letters as %.. and a host as xn--..")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise ValueError(f"'{text}' is no URL ({error}); write https://host/path") from None
    if url.scheme != "https" and not (url.scheme == "http" and told.data.get("plain_http")):
        raise ValueError(f"'{text}' is not https; write https://, or add 'plain_http: true' at your own risk")
    if not host or not port:
        raise ValueError(f"'{text}' names no host and port to connect to; write https://host/path")
    if _USER.match(text) or "#" in text:
        raise ValueError(f"'{text}' has a user, a password or a fragment; leave it out")
    if is_network(host):
        try:
            Guard(told.data.get("allow", ())).check(host, host)
        except AddressRefused as refused:
            problem, _, hint = str(refused).partition(": ")
            raise ValueError(f"{problem}; {hint}") from None
    elif not _HOST.fullmatch(host) or host.rstrip(".").rpartition(".")[2][:1].isdigit():
        # 127.1, 0x7f.0.0.1, 017700000001: a name's last label never begins with a digit
        raise ValueError(f"'{host}' is neither a host's name nor an address; write it in full")
    return text


@dataclass(frozen=True)
class Answer:
    """What came back. after: seconds, where the answer says when to come again. body: its beginning."""

    status: int
    body: bytes
    after: float | None

    @property
    def text(self) -> str:
        """One line of the body, for people."""
        return " ".join(self.body[:300].decode("utf-8", "replace").split())

    @property
    def doubt(self) -> Unknown | None:
        """What is to be said where it fails without saying that nothing was done; None anywhere else.

        >>> [Answer(status, b"", None).doubt is not None for status in (429, 500, 502, 503, 504)]
        [False, True, True, False, True]
        """
        if self.status < 500 or self.status in NOT_HANDLED:
            return None
        return Unknown(f"status {self.status}: {self.text}".rstrip(": "))


class Poster:
    """Posts to one host, which is checked when it is connected to. Redirects are not followed."""

    def __init__(self, settings: PostingSettings, url: str, find: LookUp = look_up) -> None:
        self._settings = settings
        self._url = url
        self._find = find
        self._session: aiohttp.ClientSession | None = None
        self.room: asyncio.Semaphore  # to be held around `post`, made by `open`

    async def open(self) -> None:
        """Make the session; nothing is connected to yet."""
        import asyncio
        import ssl

        import aiohttp
        from yarl import URL

        await self.close()
        # waiting for a connection must not count as waiting for the other side, so it is done before
        self.room = asyncio.Semaphore(self._settings.connections)
        guard = Guard(self._settings.allow)
        seconds = parse_seconds(self._settings.timeout)
        resolver: Any = GuardedResolver(guard, self._find)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            socket_factory=guard.made_for(URL(self._url).raw_host or ""),
            use_dns_cache=False,  # connections are kept; a new one asks where the host is now
            limit=self._settings.connections,
            keepalive_timeout=IDLE_SECONDS,
            ssl=ssl.create_default_context(),  # its own, so that SSL_CERT_FILE is read now
        )
        # `connect` is the whole way to a connection; a time-out after it is one after writing has begun
        timeout = aiohttp.ClientTimeout(
            total=2.5 * seconds, connect=seconds, sock_connect=seconds, sock_read=seconds
        )
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )

    async def post(
        self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> Answer | Refused | Unknown:
        """Post once, with `room` held; ``query`` is added to the URL's own."""
        import aiohttp

        assert self._session is not None, "it is open"
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, params=query, allow_redirects=False
            ) as response:  # fmt: skip
                beginning = await _beginning(response)
                return Answer(response.status, beginning, _after(response.headers.get("Retry-After")))
        except AddressRefused as refused:
            return Refused("stop", "address", str(refused))
        except aiohttp.InvalidURL as error:
            return Refused("stop", "url", f"no URL to post to: {error}")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Refused("retry", type(error).__name__, f"no connection: {error}")
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            return Unknown(f"written, and then: {type(error).__name__} {error}".rstrip())

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the body as far as it is wanted. The status is what counts: a body that breaks off is cut."""
    import aiohttp

    body = bytearray()
    try:
        while len(body) < MOST_BYTES and (more := await response.content.read(MOST_BYTES - len(body))):
            body += more
    except (aiohttp.ClientError, OSError):
        pass
    return bytes(body)


def _after(text: str | None) -> float | None:
    """Read a Retry-After (RFC 9110, 10.2.3): seconds, or a date; None where it cannot be read."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
