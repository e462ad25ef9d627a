import pytest

from knowledge.fact_misuse import misused_in_condition, misused_in_template
from knowledge.fact_paths import CONDITION_FACTS
from knowledge.fact_types import FACT_KINDS
from knowledge.shop import Shop


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ('order.hours_overdue > "72"', ['order.hours_overdue > "72"']),
        ('order.is_unshipped && order.hours_overdue == "72"', ['order.hours_overdue == "72"']),
        ('order.ship_overdue == "true"', ['order.ship_overdue == "true"']),
        ("order.days_since_paid", ["order.days_since_paid"]),
        ('order.paid_at < "2026-11-01"', ['order.paid_at < "2026-11-01"']),
        ("order.item.title > 3", ["order.item.title > 3"]),
        ("order.item.sku in [1, 2]", ["order.item.sku in [1, 2]"]),
        ('order.amount_paid.startsWith("1")', ['order.amount_paid.startsWith("1")']),
        ('now - order.days_since_paid > duration("1h")', ['now - order.days_since_paid > duration("1h")']),
        ("order.amount_paid + 1.0 > order.item.title", ["order.amount_paid + 1.0 > order.item.title"]),
        ("order.hours_overdue > 72", []),
        ("order.days_since_paid > 2.5 && order.amount_paid >= 99", []),
        ('order.items.exists(i, i.quantity > 2) && order.item.attributes.size == "L"', []),
        ('order.booking.slot_from > now && has(order.case)', []),
        ("", []),
    ],
)  # fmt: skip
def test_fact_compared_as_what_it_is_not(source: str, used: list[str]) -> None:
    assert [one.used for one in misused_in_condition(source)] == used


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("{{ order.item.title | money }}", ["order.item.title | money"]),
        ("{{ order.days_since_paid | money }}天", ["order.days_since_paid | money"]),
        ("{% if order.ship_overdue %}{{ order.amount_paid | date }}{% endif %}", ["order.amount_paid | date"]),
        ('{% if order.status == "payed" %}好{% endif %}', ["order.status … 'payed'"]),
        ('{% if order.payment_method in ["wechat", "wexin"] %}好{% endif %}', ["order.payment_method … 'wexin'"]),
        ('{% if order.amount_paid > "3" %}好{% endif %}', ["order.amount_paid … '3'"]),
        ("{{ order.paid_at | date }}付款{{ order.amount_paid | money }}，{{ order.paid_at | when }}，{{ order.id | tail(4) }}", []),
        ('{% if order.status == "paid" and order.amount_paid > 3 %}好{% endif %}', []),
        ("{{ order.item.attributes.size | lower }}", []),
    ],
)
def test_fact_written_as_what_it_is_not(source: str, used: list[str]) -> None:
    assert [one.used for one in misused_in_template(source)] == used


def test_every_fact_of_a_condition_has_a_kind() -> None:
    def paths(tree: dict[str, dict[str, object]], at: str = "") -> list[str]:
        found = []
        for name, below in tree.items():
            if name != "*":
                found += [f"{at}{name}", *paths(below, f"{at}{name}.")]  # type: ignore[arg-type]
        return found

    groups = {"order", "customer", "agent", "message"}
    unlisted = [
        path for path in paths(CONDITION_FACTS) if path not in FACT_KINDS and path not in groups and not path.startswith(("order.items.", "order.cases."))
    ]
    assert unlisted == []


@pytest.mark.parametrize("name", ["demo_shop", "english_shop", "fresh_shop", "home_shop"])
def test_shipped_replies_misuse_no_fact(name: str, request: pytest.FixtureRequest) -> None:
    shop: Shop = request.getfixturevalue(name)

    assert [one for reply in shop.replies for one in misused_in_condition(reply.when)] == []
    assert [one for reply in shop.replies for source in reply.templates().values() for one in misused_in_template(source)] == []
