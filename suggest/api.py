"""The HTTP service. Routes only: each checks, calls one function, answers."""

import gc
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from threadpoolctl import threadpool_limits

from knowledge.articles import split_passages
from knowledge.order_context import Time
from knowledge.records import Article, Passage, ProvenReply
from suggest import console, operations, problems
from suggest.body_limit import BodyLimit
from suggest.contract import SuggestionRequest, SuggestionResponse
from suggest.direct_route import SuggestionRoute
from suggest.errors import NotFound
from suggest.live import LiveShops, Models
from suggest.metrics import CountedRequests, Metrics
from suggest.search import SearchResponse, Wanted, day_of, may_be_told, search
from suggest.settings import Settings, load_settings
from suggest.watching import IndexWatcher

_log = logging.getLogger("huashu.api")
_COLLECTED_AFTER = 20_000  # new objects; an answer leaves hundreds, nearly all of them freed without the collector


class ArticleView(BaseModel):
    """An article with its passages and whether it is in force today."""

    article: Article
    passages: list[Passage]
    in_force: bool


class ReplyView(BaseModel):
    """A reply as its writer wrote it, and whether it is in force today."""

    reply: ProvenReply
    in_force: bool


def create_app(settings: Settings | None = None) -> FastAPI:
    """Gives the service; settings come from the environment when not passed."""
    chosen = settings or load_settings(dict(os.environ))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        started = time.perf_counter()
        shops: LiveShops = app.state.shops
        watcher = IndexWatcher(
            chosen.index_dir, Models.load(chosen.model), shops, app.state.metrics,
            min_confidence=chosen.min_confidence, looks_again=chosen.refresh_seconds > 0,
        )  # fmt: skip
        watcher.look()
        ready_to_answer()
        _log.info("service.ready", extra={"shops": shops.ids, "seconds": round(time.perf_counter() - started, 3)})
        watcher.start(chosen.refresh_seconds)
        yield
        watcher.stop()

    app = FastAPI(
        title="Huashu 话术",
        version="0.1.0",
        summary="The right reply in front of an e-commerce support agent, for this order, now.",
        lifespan=lifespan,
    )
    app.state.shops = LiveShops()
    app.state.metrics = Metrics(lambda: app.state.shops.serving)
    problems.install(app)
    app.router.add_api_route(
        "/v1/suggestions", suggestions, methods=["POST"], response_model=SuggestionResponse, tags=["suggestions"], route_class_override=SuggestionRoute
    )
    app.add_api_route("/v1/search", search_knowledge, methods=["GET"], response_model=SearchResponse, tags=["knowledge"])
    app.add_api_route("/v1/articles/{article_id}", article, methods=["GET"], response_model=ArticleView, tags=["knowledge"])
    app.add_api_route("/v1/replies/{reply_id}", reply, methods=["GET"], response_model=ReplyView, tags=["knowledge"])
    app.include_router(operations.router)
    app.include_router(console.router)
    app.add_middleware(BodyLimit, max_bytes=chosen.max_body_bytes)
    app.add_middleware(CountedRequests, metrics=app.state.metrics)
    return app


def _shops_of(request: Request) -> LiveShops:
    shops: LiveShops = request.app.state.shops
    return shops


def _metrics_of(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def _shops(request: Request) -> LiveShops:  # async, or each request waits for two threads
    return _shops_of(request)


Shops = Annotated[LiveShops, Depends(_shops)]
Store = Annotated[str | None, Query(description="Which shop; may be absent where only one is served")]


async def suggestions(body: SuggestionRequest, request: Request) -> Response:
    """Ranked reply drafts for the customer's message, this order and this moment, each with the policy passages behind it."""
    shops, metrics = _shops_of(request), _metrics_of(request)  # asked for as dependencies they would take a fifth of a millisecond
    request_id = body.request_id or uuid4().hex
    shop = shops.of(body.store)
    answering = partial(shop.suggest, body, now=body.now or datetime.now(UTC), request_id=request_id)
    # A few milliseconds of Python: threads would only take turns. A model that computes long outside Python gets one.
    answer = answering() if shop.embedder.quick else await run_in_threadpool(answering)
    metrics.answered(shop.snapshot.manifest.store_id, answer)
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
    all_dates: Annotated[bool, Query(description="Also what has expired or not begun, marked so, after all that is in force")] = False,
    now: Annotated[Time | None, Query(description="The moment by which texts are in force; the clock when absent")] = None,
    store: Store = None,
) -> SearchResponse:
    """Articles and replies by a few words; what is not in force today is left out unless asked for."""
    shop = shops.of(store)
    today = day_of(now or datetime.now(UTC), shop.snapshot)
    return search(shop.snapshot, shop.embedder, Wanted(q, today, kind=kind, scenario=scenario, product=product, all_dates=all_dates))


def article(article_id: str, shops: Shops, store: Store = None) -> ArticleView:
    """One article, whole."""
    snapshot = shops.of(store).snapshot
    found = next((one for one in snapshot.shop.articles if one.id == article_id), None)
    if found is None:
        raise NotFound("article", article_id)
    return ArticleView(article=found, passages=split_passages(found), in_force=may_be_told(found, day_of(datetime.now(UTC), snapshot)))


def reply(reply_id: str, shops: Shops, store: Store = None) -> ReplyView:
    """One approved reply, as its writer wrote it."""
    snapshot = shops.of(store).snapshot
    found = snapshot.reply(reply_id)
    if found is None:
        raise NotFound("reply", reply_id)
    return ReplyView(reply=found, in_force=may_be_told(found, day_of(datetime.now(UTC), snapshot)))


def ready_to_answer() -> None:
    """Settles a process whose shops are loaded into answering one message at a time.

    Python's cycle collector no longer walks through whole shops while a customer waits: what is loaded by now stays, and it looks less often. The matrix
    products of one message are done before a second thread has woken up: with one thread its median is up to a twelfth less (DESIGN D94).
    """
    threadpool_limits(limits=1, user_api="blas")
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER, *gc.get_threshold()[1:])
