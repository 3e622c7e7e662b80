"""What `/openapi.json` promises is what is answered, and `/docs` needs no other host."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from console.api.docs import STATIC
from console.problems import MEDIA_TYPE
from tests.console.at_work import AtWork, order
from tests.console.inbox_at_work import put

CALL = {"userId": "M8", "messageId": "m8", "timestamp": "2026-03-01T09:00:00Z"}
INBOX, MESSAGE = "/v1/profiles/member:M1/messages", f"{1:032x}"
REQUESTS: dict[tuple[str, str], tuple[str, Any]] = {
    ("GET", "/v1/profiles/{customer}"): ("/v1/profiles/member:M1?why=1", None),
    ("POST", "/v1/profiles:batch"): ("/v1/profiles:batch", {"customers": ["member:M1", "x"]}),
    ("POST", "/v1/customers/{customer}:export"): ("/v1/customers/member:M1:export", None),
    ("GET", "/v1/profiles/{customer}/messages"): (f"{INBOX}?limit=1", None),
    ("POST", "/v1/profiles/{customer}/messages:read"): (f"{INBOX}:read", None),
    ("POST", "/v1/profiles/{customer}/messages/{message}:read"): (f"{INBOX}/{MESSAGE}:read", None),
    ("POST", "/v1/profiles/{customer}/messages/{message}:dismiss"): (f"{INBOX}/{MESSAGE}:dismiss", None),
    ("POST", "/v1/profiles/{customer}/messages:token"): (f"{INBOX}:token", None),
    ("GET", "/v1/rfm"): ("/v1/rfm", None),
    ("GET", "/v1/tags"): ("/v1/tags", None),
    ("GET", "/v1/decisions"): ("/v1/decisions", None),
    ("GET", "/v1/tag-changes"): ("/v1/tag-changes?limit=2", None),
    ("GET", "/v1/delivery-changes"): ("/v1/delivery-changes?limit=2", None),
    ("GET", "/v1/deliveries"): ("/v1/deliveries?limit=1", None),
    ("GET", "/v1/deliveries:counts"): ("/v1/deliveries:counts", None),
    ("GET", "/v1/deliveries/{delivery}"): ("/v1/deliveries/UNKNOWN", None),
    ("POST", "/v1/deliveries/{delivery}:resend"): ("/v1/deliveries/UNKNOWN:resend", {"reason": "asked"}),
    ("POST", "/v1/deliveries:resend"): (
        "/v1/deliveries:resend", {"state": "failed", "trigger": "none", "reason": "asked"},
    ),
    ("POST", "/v1/deliveries/{delivery}:settle"): (
        "/v1/deliveries/UNKNOWN:settle", {"state": "failed", "reason": "it said so"},
    ),
    ("GET", "/v1/providers"): ("/v1/providers", None),
    ("GET", "/v1/switches"): ("/v1/switches", None),
    ("GET", "/v1/triggers"): ("/v1/triggers", None),
    ("GET", "/v1/triggers/{name}"): ("/v1/triggers/hello", None),
    ("POST", "/v1/switches"): (
        "/v1/switches", {"what": "channel/sms", "off": False, "reason": "mended"},
    ),
    ("GET", "/v1/broadcasts"): ("/v1/broadcasts", None),
    ("GET", "/v1/coupons"): ("/v1/coupons", None),
    ("GET", "/v1/coupons/{pool}"): ("/v1/coupons/spring", None),
    ("POST", "/v1/coupons/{pool}/codes"): ("/v1/coupons/spring/codes", {"codes": ["C1"]}),
    ("GET", "/v1/coupons/{pool}/codes/{code}"): ("/v1/coupons/spring/codes/C1", None),
    ("POST", "/v1/coupons/{pool}/codes/{code}:redeem"): (
        "/v1/coupons/spring/codes/C1:redeem", {"order": "A1", "customer": "member:M1"},
    ),
    ("POST", "/v1/receipts/{channel}"): (
        "/v1/receipts/sms", [{"reference": "r1", "state": "delivered", "at": "2026-03-01T09:00:00Z"}],
    ),
    ("POST", "/v1/texts:preview"): ("/v1/texts:preview", {"channel": "sms", "template": "hi"}),
    ("POST", "/v1/sources/{name}"): ("/v1/sources/orders", [order("A9", "M9"), {"order_id": "A10"}]),
    **{("POST", f"/v1/{path}"): (f"/v1/{path}", {**CALL, "event": "Product Viewed"})
       for path in ("track", "identify", "page", "screen", "group", "alias")},
    **{("POST", f"/v1/{path}"): (f"/v1/{path}", {"batch": [{"type": "page", **CALL}]})
       for path in ("batch", "import")},
    ("POST", "/v1/customers/{customer}:erase"): ("/v1/customers/member:M2:erase", None),
    ("GET", "/healthz"): ("/healthz", None),
    ("GET", "/readyz"): ("/readyz", None),
    ("GET", "/metrics"): ("/metrics", None),
    ("GET", "/problems/{code}"): ("/problems/defect", None),
}  # fmt: skip

STREAMS = {("GET", "/v1/profiles/{customer}/messages/stream")}  # without an end: tried in test_messages.py
WITH_SLOTS = {("GET", "/v1/profiles/{customer}/recommendations/{slot}")}  # tried in test_recommendations.py
WITH_GOALS = {("GET", "/v1/triggers/{name}/results")}  # tried in test_results_api.py
# tried in test_replay.py
WITH_WEBHOOKS = {("POST", "/v1/deliveries:replay"), ("POST", "/v1/deliveries/{delivery}:replay")}
# tried in test_broadcasts_api.py
WITH_DATES = {("GET", "/v1/broadcasts/{name}"), ("POST", "/v1/broadcasts/{name}:count")}


def unknown_delivery(shop: AtWork) -> str:
    """Let a delivery be unknown, and return its id."""
    one = shop.get("/v1/deliveries", limit=1)["deliveries"][0]
    change = "UPDATE delivery SET state = 'unknown' WHERE number = ?"
    shop.opened.ledger.connection.execute(change, (one["number"],))
    return str(one["id"])


def described(shop: AtWork) -> dict[str, Any]:
    found: dict[str, Any] = shop.client.get("/openapi.json").json()
    return found


def operations(shop: AtWork) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in described(shop)["paths"].items()
        for method, operation in methods.items()
    }


def test_every_path_of_the_description_is_tried_here(shop: AtWork) -> None:
    elsewhere = {*STREAMS, *WITH_SLOTS, *WITH_GOALS, *WITH_DATES, *WITH_WEBHOOKS}
    assert set(operations(shop)) == REQUESTS.keys() | elsewhere


def models(shop: AtWork) -> dict[tuple[str, str], type[BaseModel] | None]:
    """Return the model of each path's answer, by method and path as the description has it."""
    found: dict[tuple[str, str], type[BaseModel] | None] = {}
    for route in shop.app.router.routes:
        for one in getattr(getattr(route, "original_router", None), "routes", [route]):
            if isinstance(one, APIRoute):
                for method in one.methods or ():
                    found[method, one.path_format.replace(":path}", "}")] = one.response_model
    return found


@pytest.mark.parametrize("place", REQUESTS, ids=" ".join)
def test_an_answer_is_what_the_description_promises(shop: AtWork, place: tuple[str, str]) -> None:
    path, body = REQUESTS[place]
    if path.startswith(INBOX):
        put(shop, "member:M1", 1)
    if "/codes/" in path:
        shop.client.post("/v1/coupons/spring/codes", json={"codes": ["C1"]})
    if "UNKNOWN" in path:
        path = path.replace("UNKNOWN", unknown_delivery(shop))
    answer = shop.client.request(place[0], path, json=body)
    assert answer.status_code == 200, answer.text
    promised = operations(shop)[place]["responses"]["200"]["content"]
    media = answer.headers["content-type"].partition(";")[0]
    assert media in promised
    if media == "application/json":
        model = models(shop)[place]
        assert model is not None
        reference = promised[media]["schema"]["$ref"]
        assert reference == f"#/components/schemas/{model.__name__}"
        model.model_validate_json(answer.content, extra="forbid")


def test_every_error_is_described_as_a_problem_document(shop: AtWork) -> None:
    for place, operation in operations(shop).items():
        for status, told in operation["responses"].items():
            if status != "200":
                assert list(told["content"]) == [MEDIA_TYPE], (place, status)
    assert "HTTPValidationError" not in described(shop)["components"]["schemas"]
    assert "ProblemDocument" in described(shop)["components"]["schemas"]


def test_every_reference_of_the_description_leads_somewhere(shop: AtWork) -> None:
    text = shop.client.get("/openapi.json").text
    names = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert names <= set(described(shop)["components"]["schemas"])


def test_every_path_that_needs_a_key_says_so(shop: AtWork) -> None:
    for place, operation in operations(shop).items():
        is_open = place[1] in ("/healthz", "/readyz", "/problems/{code}")
        assert ("security" in operation) != is_open, place
    schemes = set(described(shop)["components"]["securitySchemes"])
    used = {name for one in operations(shop).values() for need in one.get("security", []) for name in need}
    assert used == schemes


def test_every_operation_is_described_in_words(shop: AtWork) -> None:
    for place, operation in operations(shop).items():
        assert operation["description"].strip(), place


def test_the_page_loads_nothing_from_another_host(shop: AtWork) -> None:
    page = shop.client.get("/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for path in loaded:
        assert not re.match(r"[a-z]+:|//", path), path
        assert shop.client.get("/" + path).status_code == 200, path
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert "validatorUrl: null" in (STATIC / "docs.js").read_text(encoding="utf-8")
    style = (STATIC / "swagger-ui" / "swagger-ui.css").read_text(encoding="utf-8")
    assert set(re.findall(r"url\(\s*['\"]?([^'\")]{5})", style)) == {"data:"}


def test_what_is_shipped_has_its_licence() -> None:
    names = {path.name for path in (STATIC / "swagger-ui").iterdir()}
    assert {"LICENSE", "NOTICE", "VERSION", "swagger-ui-bundle.js.LICENSE.txt"} <= names
