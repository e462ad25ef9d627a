"""Which notable things about an order a reply's condition looks at, by hand; and that of two fitting replies the one that looks is offered first."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.build import build_snapshot
from knowledge.facts import compute_facts
from knowledge.order_context import Order
from knowledge.shop import Shop, load_shop
from suggest.contract import SuggestionRequest
from suggest.live import Models
from suggest.notable import NOTABLE, WEIGHTS, looked_at, notable_in
from suggest.pipeline import Suggester
from tests.fakes import MORNING, write_shop

CASE, INSTALL, CONDITION, SELLER, DELIVERED = 0, 1, 2, 4, 11
NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")


def notable_of(shop: Shop, order: dict[str, Any] | None) -> list[int]:
    given = None if order is None else Order.model_validate(order)
    facts = compute_facts(order=given, customer=None, agent=None, now=NOW, store=shop.store, catalogue=shop.catalogue())
    return np.flatnonzero(notable_in(facts)).tolist()


def test_no_order_has_nothing_notable(tiny_shop: Shop) -> None:
    assert notable_of(tiny_shop, None) == []


def test_what_a_delivered_order_has_about_it(tiny_shop: Shop) -> None:
    order = {
        "status": "delivered", "delivered_at": "2026-11-20T10:00:00+08:00", "seller": "third_party",
        "install": {"status": "done", "at": "2026-11-20T15:00:00+08:00"},
        "items": [{"sku": "X", "title": "杯子", "category": "家居", "quantity": 1, "unit_price": "9.00", "condition": "washed"}],
    }  # fmt: skip

    assert notable_of(tiny_shop, order) == [INSTALL, CONDITION, SELLER, DELIVERED]
    assert notable_of(tiny_shop, order | {"install": {"status": "none"}, "seller": "own"}) == [CONDITION, DELIVERED]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", []),
        ("order.is_delivered", []),
        ('order.install.status == "done"', [INSTALL]),
        ('order.seller == "third_party" && order.days_since_delivered <= 15', [SELLER, DELIVERED]),
        ("!has(order.case) && order.is_delivered", [CASE]),
    ],
)
def test_what_a_condition_looks_at(when: str, expected: list[int]) -> None:
    assert np.flatnonzero(looked_at(when)).tolist() == expected


def test_the_rarer_the_heavier() -> None:
    assert len(WEIGHTS) == len(NOTABLE)
    assert ((WEIGHTS > 0) & (WEIGHTS <= 1)).all()
    assert WEIGHTS[SELLER] > WEIGHTS[CASE] > WEIGHTS[DELIVERED]


def test_of_two_replies_that_fit_the_one_that_looks_at_the_installation_is_first(models: Models, tmp_path: Path) -> None:
    common = {"scenario": "product.install", "status": "approved", "triggers": "师傅什么时候上门安装|安装约的是哪天"}
    replies = [
        common | {"id": "install-rule", "when": "order.is_delivered", "text": "师傅一般在签收后三天内联系您上门安装，请您保持电话畅通。"},
        common | {"id": "install-was-done", "when": 'order.install.status == "done"', "text": "您这单已经安装好了，哪里不合适您告诉我，我马上联系师傅。"},
    ]
    shop = load_shop(write_shop(tmp_path / "two", replies=replies))
    snapshot = build_snapshot(shop, embedder=models.embedder, needs=models.reader.needs, now=MORNING)
    suggester = Suggester(snapshot, embedder=models.embedder, reader=models.reader, ranker=models.ranker, min_confidence=0.0)
    order = {"status": "delivered", "delivered_at": "2026-11-18T10:00:00+08:00", "install": {"status": "done", "at": "2026-11-19T15:00:00+08:00"}}
    request = SuggestionRequest.model_validate({"message": "师傅哪天来装", "order": order})

    found = suggester.suggest(request, now=NOW, request_id="one")

    assert [one.reply_id for one in found.suggestions] == ["install-was-done", "install-rule"]
