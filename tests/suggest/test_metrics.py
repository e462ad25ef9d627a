"""What /metrics says, and what it must never say."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from suggest.api import create_app
from suggest.live import LiveShops
from suggest.pipeline import Suggester
from suggest.settings import Settings
from tests.suggest.test_logs import BODY, NAME, SECRETS

Sample = tuple[str, tuple[tuple[str, str], ...]]


def ask(shops: Any, *requests: tuple[str, str, Any]) -> tuple[str, dict[Sample, float]]:
    """Sends the requests to an app of its own and gives what its /metrics then says, as text and by (name, labels)."""
    app = create_app(Settings())
    app.state.shops = shops

    async def run() -> str:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            for method, path, body in requests:
                await client.request(method, path, json=body)
            answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        return answer.text

    text = asyncio.run(run())
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return text, {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


@pytest.fixture(scope="module")
def shops(demo_suggester: Suggester) -> LiveShops:
    return LiveShops({"demo": demo_suggester})


def test_requests_are_counted_by_route_and_status(shops: LiveShops) -> None:
    _, samples = ask(
        shops,
        ("POST", "/v1/suggestions", {"message": "快递到哪了"}),
        ("POST", "/v1/suggestions", {"message": ""}),
        ("GET", "/v1/articles/no-such-article", None),
        ("GET", "/v1/articles/ship-48h", None),
        ("GET", f"/{NAME}", None),
        ("GET", "/readyz", None),
    )

    assert {
        ("/v1/suggestions", "200"): 1, ("/v1/suggestions", "422"): 1, ("/v1/articles/{article_id}", "404"): 1, ("/v1/articles/{article_id}", "200"): 1,
        ("unmatched", "404"): 1, ("/readyz", "200"): 1,
    } == {(dict(labels)["route"], dict(labels)["status"]): value for (name, labels), value in samples.items() if name == "huashu_requests_total"}  # fmt: skip


def test_answers_drafts_and_silence_are_counted_with_their_times(shops: LiveShops) -> None:
    drafted, silent = {"message": "发票抬头开错了怎么改", "top_k": 2, "order": {"status": "completed"}}, {"message": "😀"}
    _, samples = ask(shops, *[("POST", "/v1/suggestions", body) for body in (drafted, drafted, silent)])
    shop = (("shop", "demo"),)

    assert 2 == samples["huashu_answers_total", shop]
    assert 2 <= samples["huashu_drafts_shown_total", shop] <= 4
    assert 1 == samples["huashu_abstained_total", (("reason", "no_words"), ("shop", "demo"))]
    assert 3 == samples["huashu_suggestion_seconds_count", shop]
    assert {"understand", "retrieve", "rank", "draft"} == {dict(labels)["stage"] for name, labels in samples if name == "huashu_stage_seconds_count"}
    assert 3 == samples["huashu_stage_seconds_count", (("stage", "rank"),)]
    total = samples["huashu_suggestion_seconds_sum", shop]
    assert sum(value for (name, _), value in samples.items() if name == "huashu_stage_seconds_sum") == pytest.approx(total, abs=1e-4)


def test_the_snapshot_that_serves_is_named_with_its_age(shops: LiveShops, demo_suggester: Suggester) -> None:
    _, samples = ask(shops)
    manifest = demo_suggester.snapshot.manifest
    shop = (("shop", "demo"),)

    assert 1 == samples["huashu_snapshot_info", (*shop, ("snapshot_id", manifest.snapshot_id))]
    assert samples["huashu_snapshot_age_seconds", shop] >= 0
    assert samples["huashu_snapshot_loaded_timestamp_seconds", shop] == shops.serving.shops["demo"].loaded_at.timestamp()
    assert 0 == samples["huashu_snapshot_failing", shop]


def test_nothing_of_the_customer_and_no_unknown_shop_becomes_a_label(shops: LiveShops) -> None:
    text, samples = ask(
        shops,
        ("POST", "/v1/suggestions", BODY),
        ("POST", "/v1/suggestions", BODY | {"store": NAME}),
        ("POST", "/v1/suggestions", BODY | {"order": {"status": "SECRET-774949"}}),
        ("GET", f"/v1/search?q={NAME}&store=SECRET-774949", None),
        ("GET", "/v1/replies/SECRET-774949", None),
        ("SECRET", "/SECRET-774949", None),
    )

    assert [] == [secret for secret in (*SECRETS, "req-1") if secret in text]
    assert {"demo"} == {dict(labels)["shop"] for _, labels in samples if "shop" in dict(labels)}
    assert {"route", "status", "shop", "stage", "reason", "code", "le", "snapshot_id"} >= {label for _, labels in samples for label, _ in labels}


def test_an_app_that_fails_is_counted_as_500() -> None:
    class Broken(LiveShops):
        def of(self, store: str | None) -> Suggester:
            raise RuntimeError(NAME)

    _, samples = ask(Broken(), ("POST", "/v1/suggestions", BODY))

    assert 1 == samples["huashu_requests_total", (("route", "/v1/suggestions"), ("status", "500"))]


def test_two_apps_count_apart(shops: LiveShops) -> None:
    ask(shops, ("GET", "/healthz", None))
    _, samples = ask(shops)

    assert [] == [name for name, _ in samples if name == "huashu_requests_total"]
