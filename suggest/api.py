"""The HTTP service. Routes only: each checks, calls one function, answers."""

import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel

from knowledge.articles import split_passages
from knowledge.records import Article, Passage, ProvenReply
from knowledge.shop import in_force
from suggest import console, problems
from suggest.contract import SuggestionRequest, SuggestionResponse
from suggest.errors import NotFound
from suggest.live import LiveShops, Models
from suggest.search import SearchResponse, search
from suggest.settings import Settings, load_settings

_log = logging.getLogger("huashu.api")


class ArticleView(BaseModel):
    """An article with its passages and whether it is in force today."""

    article: Article
    passages: list[Passage]
    in_force: bool


class ReplyView(BaseModel):
    """A reply as its writer wrote it, and whether it is in force today."""

    reply: ProvenReply
    in_force: bool


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Which shops are served, each from which snapshot."""

    status: Literal["ready", "not_ready"]
    shops: dict[str, str]
    detail: str = ""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Gives the service; settings come from the environment when not passed."""
    chosen = settings or load_settings(dict(os.environ))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        started = time.perf_counter()
        models = Models.load(chosen.model)
        app.state.shops = LiveShops.load(chosen.index_dir, models, min_confidence=chosen.min_confidence)
        _log.info("service.ready", extra={"shops": app.state.shops.ids, "seconds": round(time.perf_counter() - started, 3)})
        yield

    app = FastAPI(
        title="Huashu 话术",
        version="0.1.0",
        summary="The right reply in front of an e-commerce support agent, for this order, now.",
        lifespan=lifespan,
    )
    problems.install(app)
    _limit_bodies(app, chosen.max_body_bytes)
    app.add_api_route("/v1/suggestions", suggestions, methods=["POST"], response_model=SuggestionResponse, tags=["suggestions"])
    app.add_api_route("/v1/search", search_knowledge, methods=["GET"], response_model=SearchResponse, tags=["knowledge"])
    app.add_api_route("/v1/articles/{article_id}", article, methods=["GET"], response_model=ArticleView, tags=["knowledge"])
    app.add_api_route("/v1/replies/{reply_id}", reply, methods=["GET"], response_model=ReplyView, tags=["knowledge"])
    app.add_api_route("/healthz", healthz, methods=["GET"], response_model=Health, tags=["operations"])
    app.add_api_route("/readyz", readyz, methods=["GET"], response_model=Readiness, tags=["operations"])
    app.include_router(console.router)
    return app


def _shops(request: Request) -> LiveShops:
    shops: LiveShops = request.app.state.shops
    return shops


Shops = Annotated[LiveShops, Depends(_shops)]
Store = Annotated[str | None, Query(description="Which shop; may be absent where only one is served")]


def suggestions(body: SuggestionRequest, shops: Shops) -> Response:
    """Ranked reply drafts for the customer's message, this order and this moment, each with the policy passages behind it."""
    request_id = body.request_id or uuid4().hex
    answer = shops.of(body.store).suggest(body, now=body.now or datetime.now(UTC), request_id=request_id)
    _log.info(
        "suggest.done",
        extra={
            "request_id": request_id,
            "snapshot_id": answer.snapshot_id,
            "n_drafts": len(answer.suggestions),
            "abstained": answer.abstained.reason if answer.abstained else None,
            "top_confidence": answer.suggestions[0].confidence if answer.suggestions else None,
            "message_chars": len(body.message),
            "ms": answer.timings_ms,
        },
    )
    return Response(answer.model_dump_json(), media_type="application/json")  # already the contract's model: not validated a second time


def search_knowledge(
    shops: Shops,
    q: Annotated[str, Query(min_length=1, max_length=200, description="A few words")],
    kind: Annotated[Literal["article", "reply"] | None, Query(description="Only one of the two")] = None,
    scenario: Annotated[str | None, Query(description="Only this scenario, such as order.expedite")] = None,
    product: Annotated[str | None, Query(description="Only what covers this SKU or category")] = None,
    store: Store = None,
) -> SearchResponse:
    """Articles and replies by a few words."""
    shop = shops.of(store)
    return search(shop.snapshot, shop.embedder, q, kind=kind, scenario=scenario, product=product)


def article(article_id: str, shops: Shops, store: Store = None) -> ArticleView:
    """One article, whole."""
    shop = shops.of(store).snapshot.shop
    found = next((one for one in shop.articles if one.id == article_id), None)
    if found is None:
        raise NotFound("article", article_id)
    now = datetime.now(UTC)
    return ArticleView(article=found, passages=split_passages(found), in_force=in_force(found, now=now, timezone=shop.store.timezone))


def reply(reply_id: str, shops: Shops, store: Store = None) -> ReplyView:
    """One approved reply, as its writer wrote it."""
    shop = shops.of(store).snapshot.shop
    found = next((one for one in shop.replies if one.id == reply_id), None)
    if found is None:
        raise NotFound("reply", reply_id)
    return ReplyView(reply=found, in_force=in_force(found, now=datetime.now(UTC), timezone=shop.store.timezone))


def healthz() -> Health:
    """The process is alive; says nothing of the index."""
    return Health()


def readyz(shops: Shops, response: Response) -> Readiness:
    """Ready when at least one shop's snapshot is loaded; 503 until then."""
    loaded = {store: shops.of(store).snapshot.manifest.snapshot_id for store in shops.ids}
    if not loaded:
        response.status_code = 503
        return Readiness(status="not_ready", shops={}, detail="no published index; run `python -m scripts.reindex`")
    return Readiness(status="ready", shops=loaded)


def _limit_bodies(app: FastAPI, max_bytes: int) -> None:
    """Refuses a body that is too large: by its declared length before reading it, else after."""

    @app.middleware("http")
    async def limit(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        declared = request.headers.get("content-length", "0")
        too_large = declared.isdigit() and int(declared) > max_bytes
        if not too_large and request.method == "POST" and "content-length" not in request.headers:
            too_large = len(await request.body()) > max_bytes
        if too_large:
            return problems.problem(413, "body_too_large", "body too large", f"expected at most {max_bytes} bytes")
        return await call_next(request)
