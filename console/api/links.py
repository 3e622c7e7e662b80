"""``/s/{code}``: the short links of messages. Anybody may follow one; it needs no key."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.serving import Here
from sinks.links.code import PATH

router = APIRouter()
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_NOWHERE = """\
<!doctype html><html lang="zh"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>链接已失效 · This link leads nowhere</title>
<style>body {font: 1.1rem/1.6 system-ui; margin: 3rem auto; max-width: 30rem; padding: 0 1rem}</style>
<body>
<p>链接已失效，请从店铺首页进入。</p>
<p>This link leads nowhere any more. Please begin at the shop's own page.</p>
</body></html>
"""


@router.get(PATH + "{code}", include_in_schema=False)  # for browsers, not for programs
async def follow(serving: Here, request: Request, code: str) -> Response:
    """Lead to where the template of the code's delivery leads, and count the click.

    What only looks ahead (`Sec-Purpose: prefetch`) is led on and not counted.
    """
    counts = "prefetch" not in request.headers.get("sec-purpose", request.headers.get("purpose", ""))
    target = await serving.sending.follow(code, serving.now() if counts else None)
    if target is None:
        return HTMLResponse(_NOWHERE, 404, _HEADERS)
    return RedirectResponse(target, 302, _HEADERS)
