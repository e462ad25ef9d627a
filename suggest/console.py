"""The agent's page and what it needs: sample orders and conversations of a shop, with times made relative to now."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from knowledge.products import ProductCatalogue
from knowledge.records import SampleConversation

router = APIRouter(tags=["console"])
_OFFSET = re.compile(r"^([+-])(\d+(?:\.\d+)?)h$")


class ConsoleOrder(BaseModel):
    """A sample order with real times."""

    id: str
    name: str
    order: dict[str, Any] | None
    customer: dict[str, Any]


class ConsoleSamples(BaseModel):
    """What the page offers for one shop."""

    store: str
    name: str
    language: str
    orders: list[ConsoleOrder]
    conversations: list[SampleConversation]
    products: dict[str, str]  # titles by SKU


@router.get("/console", response_class=HTMLResponse, include_in_schema=False)
def page() -> str:
    """The page itself: one file, no build step, nothing fetched from elsewhere."""
    return (files("suggest") / "static" / "console.html").read_text(encoding="utf-8")


@router.get("/console/samples", include_in_schema=False)
def samples(request: Request) -> list[ConsoleSamples]:
    """Sample orders and conversations of every served shop."""
    now = datetime.now(UTC)
    found = []
    for store, served in sorted(request.app.state.shops.serving.shops.items()):
        shop = served.suggester.snapshot.shop
        local = now.astimezone(ZoneInfo(shop.store.timezone))
        catalogue = shop.catalogue()
        orders = [
            ConsoleOrder(id=one.id, name=one.name, order=_titled(at_time(one.order, local), catalogue) or None, customer=at_time(one.customer, local))
            for one in shop.sample_orders
        ]
        titles = {product.sku: product.title for product in shop.products}
        found.append(
            ConsoleSamples(
                store=store, name=shop.store.name, language=shop.store.language, orders=orders, conversations=list(shop.sample_conversations), products=titles
            )
        )
    return found


def _titled(order: dict[str, Any], catalogue: ProductCatalogue) -> dict[str, Any]:
    """A person reads titles, not SKUs."""
    for item in order.get("items", []):
        product = catalogue.by_sku(item.get("sku", ""))
        if product is not None:
            item.setdefault("title", product.title)
    return order


def at_time(value: Any, now: datetime) -> Any:
    """Gives the sample with every `-70h` or `+24h` made a time, so that a sample order is as old tomorrow as today."""
    if isinstance(value, dict):
        return {name: at_time(inner, now) for name, inner in value.items()}
    if isinstance(value, list):
        return [at_time(inner, now) for inner in value]
    match = _OFFSET.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    hours = float(match.group(2)) * (-1 if match.group(1) == "-" else 1)
    return (now + timedelta(hours=hours)).isoformat(timespec="seconds")
