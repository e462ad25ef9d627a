"""Empty words are what other systems send for «not there»."""

from datetime import UTC, datetime

import pytest

from knowledge.facts import compute_facts
from knowledge.order_context import Order
from knowledge.products import ProductCatalogue
from knowledge.records import Store


@pytest.mark.parametrize("blank", ["", " ", "\n\t"], ids=["empty", "space", "line"])
def test_blank_text_is_a_fact_that_was_not_sent(blank: str) -> None:
    order = Order.model_validate({"id": "A1", "logistics": {"carrier": blank, "tracking_no": blank, "status": "in_transit"}})

    facts = compute_facts(
        order=order, customer=None, agent=None, now=datetime(2026, 11, 12, tzinfo=UTC), store=Store(id="s", name="店"), catalogue=ProductCatalogue([])
    )

    assert {"id": "A1", "logistics": {"status": "in_transit"}} == facts["order"]
