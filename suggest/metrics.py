"""What the service counts for Prometheus. Labels are routes, statuses, stages, reasons and shops of the index directory: never a customer's words or ids."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suggest.contract import SuggestionResponse
from suggest.live import Serving

SEVERAL_WORKERS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own variable: a folder that the workers share
_SUGGESTION_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)
_STAGE_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.25)
_LOAD_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_NO_ROUTE = "unmatched"


class Metrics:
    """The counters of one app, in a registry of its own. With several workers the counters are everyone's, the snapshots those of the worker that answers.

    Args:
        serving: gives what is served now.
    """

    def __init__(self, serving: Callable[[], Serving]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second gauge beside every counter that no dashboard reads
        self._registry = CollectorRegistry()
        self._snapshots = _Snapshots(serving)
        counter, histogram = partial(Counter, registry=self._registry), partial(Histogram, registry=self._registry)
        self._requests = counter("huashu_requests", "Requests answered", ["route", "status"])
        self._suggesting = histogram("huashu_suggestion_seconds", "Time of one answer, without HTTP", ["shop"], buckets=_SUGGESTION_SECONDS)
        self._stages = histogram("huashu_stage_seconds", "Time of one stage of an answer", ["stage"], buckets=_STAGE_SECONDS)
        self._drafts = counter("huashu_drafts_shown", "Drafts shown", ["shop"])
        self._answered = counter("huashu_answers", "Answers with at least one draft", ["shop"])
        self._abstained = counter("huashu_abstained", "Answers without a draft, by reason", ["shop", "reason"])
        self._degraded = counter("huashu_degraded", "Answers from which something had to be left out, by what", ["shop", "code"])
        self._swaps = counter("huashu_snapshot_swaps", "Snapshots loaded and taken into service", ["shop"])
        self._loading = histogram("huashu_snapshot_load_seconds", "Time to load and warm a snapshot", buckets=_LOAD_SECONDS)
        self._set_aside = counter("huashu_snapshots_set_aside", "Snapshots passed over for an older one", ["shop"])
        self._load_failures = counter("huashu_snapshot_load_failures", "Published snapshots that could not be served", ["shop"])

    def answered(self, shop: str, answer: SuggestionResponse) -> None:
        """Counts one answer of a served shop."""
        for stage, ms in answer.timings_ms.items():
            (self._suggesting.labels(shop) if stage == "total" else self._stages.labels(stage)).observe(ms / 1_000)
        if answer.abstained is None:
            self._answered.labels(shop).inc()
            self._drafts.labels(shop).inc(len(answer.suggestions))
        else:
            self._abstained.labels(shop, answer.abstained.reason).inc()
        for code in answer.degraded:
            self._degraded.labels(shop, code).inc()

    def requested(self, route: str, status: int) -> None:
        """Counts one request by the route's pattern, not by its path."""
        self._requests.labels(route, str(status)).inc()

    def swapped(self, store: str, seconds: float) -> None:
        """Counts a snapshot taken into service."""
        self._swaps.labels(store).inc()
        self._loading.observe(seconds)
        for failures in (self._load_failures, self._set_aside):
            failures.labels(store)  # at 0 from the start: an alert on growth hears the first one

    def load_failed(self, store: str) -> None:
        """Counts a published snapshot that could not be served."""
        self._load_failures.labels(store).inc()

    def set_aside(self, store: str) -> None:
        """Counts a snapshot passed over for an older one."""
        self._set_aside.labels(store).inc()

    def page(self) -> bytes:
        """Gives everything in Prometheus' text format."""
        registry = self._registry
        if os.environ.get(SEVERAL_WORKERS):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        at_this_moment = CollectorRegistry()
        at_this_moment.register(self._snapshots)
        ProcessCollector(registry=at_this_moment)
        return generate_latest(registry) + generate_latest(at_this_moment)


class _Snapshots(Collector):
    """What each shop is served from, read when it is asked for, so that a snapshot that is gone leaves no line behind."""

    def __init__(self, serving: Callable[[], Serving]) -> None:
        self._serving = serving

    def describe(self) -> Iterator[Metric]:
        """Nothing: the names are known from `collect`."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Gives identity, age and time of loading of what serves, and which shops' newest snapshot does not."""
        now, serving = datetime.now(UTC), self._serving()
        live = GaugeMetricFamily("huashu_snapshot_info", "1 for the snapshot that serves", labels=["shop", "snapshot_id"])
        age = GaugeMetricFamily("huashu_snapshot_age_seconds", "Since the snapshot that serves was built", labels=["shop"])
        loaded = GaugeMetricFamily("huashu_snapshot_loaded_timestamp_seconds", "When it began to serve", labels=["shop"])
        failing = GaugeMetricFamily("huashu_snapshot_failing", "1 while the published snapshot cannot be served", labels=["shop"])
        for shop, served in sorted(serving.shops.items()):
            manifest = served.suggester.snapshot.manifest
            live.add_metric([shop, manifest.snapshot_id], 1)
            age.add_metric([shop], max(0.0, (now - datetime.fromisoformat(manifest.created_at)).total_seconds()))
            loaded.add_metric([shop], served.loaded_at.timestamp())
        for shop in serving.known:
            failing.add_metric([shop], float(shop in serving.failing))
        yield from (live, age, loaded, failing)


class CountedRequests:
    """ASGI middleware that counts every request, failures of the app too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and counts how it ended."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        status = 500  # of an app that failed before it answered

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._metrics.requested(getattr(scope.get("route"), "path", _NO_ROUTE), status)
