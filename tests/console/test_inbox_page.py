"""The inbox of a shop's page, in a real browser: read, dismissed, live, by keyboard, and never a way in."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from console.api import messages
from console.inbox_stream import events
from deploy.servers.debian import missing
from tests.absent import absent
from tests.console.at_work import AtWork, at_work, order, wait_for
from tests.console.browser import Browser, chromium
from tests.console.inbox_at_work import bearing, customer_of, inboxes_of, put

PICTURES = os.environ.get("TINTYPE_PICTURES")  # a folder for people to look at
EVIL = [
    "<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "</p></li><svg onload=alert(3)>",
    "<iframe srcdoc='<script>parent.alert(4)</script>'></iframe>",
    "{{constructor.constructor('alert(5)')()}}",
    "<style>*{display:none}</style>", "<a href='javascript:alert(6)'>x</a>", "\u202e<b>鞋</b>\u0000",
]  # fmt: skip
BELL = "document.querySelector('tintype-inbox')"
ROOT = f"{BELL}.shadowRoot"
ITEMS = f"[...{ROOT}.querySelectorAll('li')]"


class Page(ThreadingHTTPServer):
    """The shop's own site: one page, with a policy that allows only what the component needs."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.body = self.policy = ""


class _Handler(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        body = self.server.body.encode() if self.path.startswith("/?") else b""
        self.send_response(200 if body else 204)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Site:
    shop: AtWork
    page: Page
    browser: Browser

    def open(self, lang: str = "zh", token: str | None = None, more: str = "", **how: Any) -> None:
        """Show the shop's page with the inbox of M1."""
        given = self.token() if token is None else token
        api = self.shop.address
        self.page.policy = f"default-src 'none'; script-src {api}; connect-src {api}; style-src 'none'"
        self.page.body = (
            f'<!doctype html><html lang="{lang}"><meta name=viewport content="width=device-width">'
            f'<title>Shop</title><body><div align="right">'
            f'<tintype-inbox src="{api}" token="{html.escape(given)}" '
            f'lang="{lang}" {more}></tintype-inbox></div><p>Tea</p><script src="{api}/static/inbox.js" defer>'
            "</script></body></html>"
        )
        self.browser.said.clear()
        self.browser.show(f"{self.page.address}/?{os.urandom(4).hex()}", **how)
        self.browser.wait(f"{BELL} && {ROOT} !== null")

    def token(self, reference: str = "member:M1") -> str:
        path = f"/v1/profiles/{reference}/messages:token"
        answer = self.shop.client.post(path, headers=bearing(self.shop, "inbox"))
        return str(answer.json()["token"])

    def count(self, number: int) -> None:
        """Wait until the bell says so many."""
        shown = f"{ROOT}.querySelector('.count')"
        self.browser.wait(f"{shown}.hidden ? 0 : +{shown}.textContent", until=lambda said: said == number)

    def press_bell(self) -> None:
        self.browser.run(f"{ROOT}.querySelector('.bell').focus()")
        self.browser.press("Enter")
        self.browser.wait(f"!{ROOT}.querySelector('.panel').hidden")

    def texts(self) -> list[str]:
        return list(self.browser.run(f"{ITEMS}.map((one) => one.querySelector('p').textContent)"))

    def picture(self, name: str) -> None:
        if PICTURES:
            self.browser.picture(Path(PICTURES) / f"{name}.png")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    command = chromium()
    if command is None:
        absent(f"there is no Chromium here: {missing('chromium')}")
    folder = tmp_path_factory.mktemp("page")
    page = Page()
    serving = threading.Thread(target=page.serve_forever, name="page")
    serving.start()
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.callback(page.server_close)
        stack.callback(serving.join)
        stack.callback(page.shutdown)
        patch.setenv("TINTYPE_ORIGINS", page.address)
        shop = stack.enter_context(at_work(folder / "little"))
        shop.send("orders", order("A1", "M1"), order("A2", "M2"))
        browser = Browser(command, folder / "browser")
        stack.callback(browser.close)
        yield Site(shop, page, browser)


@pytest.fixture
def site(whole: Site) -> Site:
    whole.browser.call("Page.navigate", url="about:blank")
    whole.browser.wait("location.href === 'about:blank'")
    for member in ("M1", "M2"):
        inboxes_of(whole.shop).erase(customer_of(whole.shop, f"member:{member}"))
    return whole


def test_the_bell_counts_and_the_list_shows_and_reads(site: Site) -> None:
    for number in range(3):
        put(site.shop, "member:M1", number)
    put(site.shop, "member:M2", 9, text="somebody else's")
    site.open()
    site.count(3)
    site.press_bell()
    assert site.texts() == ["第 2 条", "第 1 条", "第 0 条"]
    site.count(0)
    read = f"{ITEMS}.filter((one) => one.className === 'fresh').length"
    assert site.browser.run(read) == 3  # still marked, until it is closed
    site.browser.press("Escape")
    assert site.browser.run(read) == 0
    assert site.shop.get("/v1/profiles/member:M1/messages")["unread"] == 0
    assert site.browser.said == []


def test_a_message_comes_and_goes_while_the_page_is_open(site: Site) -> None:
    site.open()
    site.count(0)
    site.press_bell()
    assert site.browser.run(f"{ROOT}.querySelector('.note').textContent") == "还没有消息"
    site.browser.press("Escape")
    name = put(site.shop, "member:M1", 1, text="刚刚")
    site.count(1)
    assert site.browser.run(f"{ROOT}.querySelector('[role=status]').textContent") == "1 条新消息"
    site.shop.client.post(f"/v1/profiles/member:M1/messages/{name}:dismiss")
    site.count(0)
    assert site.texts() == []


def test_the_stream_goes_on_where_it_was_cut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, asked, missed = events, list[int | None](), threading.Event()

    async def cut(*arguments: Any) -> AsyncIterator[bytes]:
        asked.append(arguments[4])
        if len(asked) > 1:
            await asyncio.to_thread(missed.wait, 20)
        async for one in whole(*arguments):
            yield one
            if len(asked) == 1 and b"data" in one:
                return

    put(site.shop, "member:M1", 1)
    monkeypatch.setattr(messages, "events", cut)
    site.open()
    wait_for(lambda: len(asked) == 2)
    put(site.shop, "member:M1", 2)
    missed.set()
    site.count(2)
    assert len(asked) == 2
    assert asked[0] == asked[1] == int((site.shop.clock[0] + 1) * 1000)


@pytest.mark.parametrize("place", ["title", "text"])
def test_no_message_becomes_a_part_of_the_page(site: Site, place: str) -> None:
    for number, evil in enumerate(EVIL):
        texts: dict[str, Any] = {place: evil}
        put(site.shop, "member:M1", number, **texts)
    site.open()
    site.count(len(EVIL))
    site.press_bell()
    tag = "h3" if place == "title" else "p"
    shown = site.browser.run(f"{ITEMS}.map((one) => one.querySelector('{tag}').textContent)")
    assert [one.replace("\ufffd", "\0") for one in reversed(shown)] == EVIL
    strange = "img, script, iframe, style, b, li svg, a"
    assert site.browser.run(f"{ROOT}.querySelectorAll('{strange}').length") == 0
    assert site.browser.run("document.querySelectorAll('img, iframe').length") == 0
    assert site.browser.said == []


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "blob:x", "vbscript:x"]
)
def test_a_link_that_runs_something_is_none(site: Site, link: str) -> None:
    """The provider leaves such links out too: this is the second lock of the door."""
    put(site.shop, "member:M1", 1, link=link)
    site.open()
    site.count(1)
    site.press_bell()
    assert site.browser.run(f"{ROOT}.querySelectorAll('a').length") == 0


def test_a_link_to_a_page_is_one(site: Site) -> None:
    put(site.shop, "member:M1", 1, link="/鞋?a=1")
    site.open()
    site.count(1)
    site.press_bell()
    assert site.browser.run(f"{ROOT}.querySelector('a').href") == f"{site.page.address}/%E9%9E%8B?a=1"


def test_everything_is_reached_by_keyboard_and_focus_is_never_lost(site: Site) -> None:
    for number in range(2):
        put(site.shop, "member:M1", number, link="/x")
    site.open()
    site.count(2)
    site.browser.press("Tab")
    focused = f"{ROOT}.activeElement && {ROOT}.activeElement.className"
    assert site.browser.run(focused) == "bell"
    site.browser.press("Enter")
    assert site.browser.run(focused) == "panel"
    reached = []
    for _ in range(5):
        site.browser.press("Tab")
        reached.append(site.browser.run(f"{ROOT}.activeElement.className || {ROOT}.activeElement.localName"))
    assert reached == ["close", "a", "gone", "a", "gone"]
    site.browser.press("Enter")  # the last is removed: focus goes to its neighbour
    site.browser.wait(f"{ITEMS}.length === 1")
    assert site.browser.run(focused) == "gone"
    site.browser.press("Enter")
    site.browser.wait(f"{ITEMS}.length === 0")
    assert site.browser.run(focused) == "close"
    site.browser.press("Escape")
    assert site.browser.run(focused) == "bell"
    assert site.shop.get("/v1/profiles/member:M1/messages")["messages"] == []


def test_a_screen_reader_is_told_what_everything_is(site: Site) -> None:
    put(site.shop, "member:M1", 1, title="Thanks", text="Your parcel", link="/x")
    site.open("en")
    site.count(1)
    assert ("button", "Messages, 1 unread") in site.browser.accessible()
    site.press_bell()
    found = site.browser.accessible()
    for one in [("dialog", "Messages"), ("heading", "Messages"), ("heading", "Thanks"), ("button", "Close"),
                ("link", "Open: Thanks"), ("button", "Remove: Thanks"), ("list", "")]:  # fmt: skip
        assert one in found, (one, found)
    assert any(role == "StaticText" and name == "Unread" for role, name in found)


def test_a_click_beside_the_list_closes_it(site: Site) -> None:
    site.open()
    site.press_bell()
    site.browser.click(60, 600)
    site.browser.wait(f"{ROOT}.querySelector('.panel').hidden")


def test_the_language_changes_at_once(site: Site) -> None:
    site.open("zh")
    title = f"{ROOT}.querySelector('h2').textContent"
    assert site.browser.run(title) == "消息"
    site.browser.run(f"{BELL}.setAttribute('lang', 'en')")
    assert site.browser.run(title) == "Messages"


def test_a_long_inbox_is_shown_page_by_page(site: Site) -> None:
    for number in range(45):
        put(site.shop, "member:M1", number)
    site.open()
    site.count(45)
    site.press_bell()
    for shown in (20, 40, 45):
        site.browser.wait(f"{ITEMS}.length === {shown}")
        site.browser.run(f"{ROOT}.querySelector('.more').click()")
    assert site.texts() == [f"第 {number} 条" for number in reversed(range(45))]
    assert site.browser.run(f"{ROOT}.querySelector('.more').hidden")


def test_a_page_with_a_token_that_is_over_gets_to_know_and_goes_on_with_another(site: Site) -> None:
    put(site.shop, "member:M1", 1)
    site.open(token="tti_wrong")
    note = f"{ROOT}.querySelector('.note').textContent"
    site.browser.wait(note, until=lambda said: said == "登录已过期，请刷新页面")
    site.browser.run(f"{BELL}.setAttribute('token', '{site.token()}')")
    site.count(1)


def test_a_page_that_leaves_lets_its_stream_go(site: Site) -> None:
    told = site.shop.app.state.news
    site.open()
    wait_for(lambda: told._count == 1)
    site.browser.run(f"{BELL}.remove()")
    wait_for(lambda: told._count == 0)


CONTRAST = """(() => {
  const channel = (one) => (one /= 255) <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  const light = (color) => { const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const behind = (one) => { for (; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor;
    if (!color.includes(', 0)')) return color; } };
  const root = document.querySelector('tintype-inbox').shadowRoot;
  return ['h2', 'h3', 'p', 'time', 'a', '.gone', '.close', '.count', '.bell', '.note'].map((what) => {
    const one = root.querySelector(what), a = light(getComputedStyle(one).color), b = light(behind(one));
    return [what, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; });
})()"""


@pytest.mark.parametrize("width", [1000, 360])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_can_be_read_everywhere(site: Site, lang: str, dark: bool, width: int) -> None:
    """WCAG AA: 4.5 to 1 for text. The list is within the window, and nothing is cut off."""
    texts = {
        "zh": [("好久不见", "您常逛的 鞋 上新了，回来看看？"),
               ("订单已发货", "您的订单 A1024 已由顺丰发出，预计明天送达。")],
        "en": [("Long time no see", "New shoes have come in. Have a look?"),
               ("Sent", "Your order A1024 is on its way.")],
    }  # fmt: skip
    for number, (title, text) in enumerate(texts[lang] * 3, start=1):
        put(site.shop, "member:M1", number, title=title, text=text, link="/x")
    put(site.shop, "member:M1", 0, title="x" * 300, text="鞋" * 200)
    site.open(lang, width=width, height=700, dark=dark)
    site.count(7)
    site.picture(f"{lang}-{'dark' if dark else 'light'}-{width}-bell")
    site.press_bell()
    site.picture(f"{lang}-{'dark' if dark else 'light'}-{width}")
    low = {what: ratio for what, ratio in site.browser.run(CONTRAST) if ratio < 4.5}
    assert low == {}
    box = site.browser.run(f"(({{left, right, top, bottom}}) => [left, right, top, bottom])"
                           f"({ROOT}.querySelector('.panel').getBoundingClientRect())")  # fmt: skip
    assert box[0] >= 0
    assert box[1] <= width
    assert box[2] >= 0
    assert box[3] <= 700
    wide = "scrollWidth > {0}.clientWidth"
    body = f"{ROOT}.querySelector('.body')"
    assert not site.browser.run(f"{body}.{wide.format(body)}")


def test_the_component_asks_nobody_else_and_parses_no_html() -> None:
    text = (Path(__file__).parents[2] / "console" / "static" / "inbox.js").read_text("utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser",
                 "@import", "url(", "localStorage", "document.cookie"):  # fmt: skip
        assert word not in text, word
