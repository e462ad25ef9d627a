"""What operators and their tools ask the service: does it live, is it ready, what does it count."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel, Field

from suggest.live import Serving

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Failing(BaseModel):
    """A published snapshot that cannot be served."""

    snapshot_id: str
    reason: str
    since: datetime


class Readiness(BaseModel):
    """Which shops are served, each from which snapshot, and what could not be loaded."""

    status: Literal["ready", "degraded", "not_ready"] = Field(description="degraded: a published shop is not served at all; the others are")
    shops: dict[str, str] = Field(description="Served shop → its snapshot")
    failing: dict[str, Failing] = Field(default_factory=dict, description="Shop → the published snapshot that cannot be served; an older one may serve")
    detail: str = ""


@router.get("/healthz")
def healthz() -> Health:
    """The process is alive; says nothing of the index."""
    return Health()


@router.get("/readyz")
def readyz(request: Request, response: Response) -> Readiness:
    """Ready when at least one shop's snapshot is loaded; 503 until then. A snapshot that cannot be loaded is named, and the one before it serves."""
    found = readiness(request.app.state.shops.serving)
    response.status_code = 503 if found.status == "not_ready" else 200
    return found


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Counters and gauges in Prometheus' text format; no customer's words, no ids of orders or customers."""
    return Response(request.app.state.metrics.page(), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})


def readiness(serving: Serving) -> Readiness:
    """Gives what /readyz says."""
    shops = {store: serving.shops[store].snapshot_id for store in sorted(serving.shops)}
    failing = {store: Failing(snapshot_id=one.snapshot_id, reason=one.reason, since=one.since) for store, one in sorted(serving.failing.items())}
    details = [f"{store}: {one.reason}; {_meanwhile(shops.get(store))}" for store, one in failing.items()]
    if not shops:
        details = details or ["no published index; run `python -m scripts.reindex`"]
    status: Literal["ready", "degraded", "not_ready"] = "not_ready" if not shops else "ready" if failing.keys() <= shops.keys() else "degraded"
    return Readiness(status=status, shops=shops, failing=failing, detail="\n".join(details))


def _meanwhile(snapshot_id: str | None) -> str:
    return f"{snapshot_id} goes on being served" if snapshot_id else "the shop is not served"
