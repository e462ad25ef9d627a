from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.condition_atoms import atoms_of
from knowledge.condition_domain import Answer, ConditionProver, Domain
from knowledge.conditions import Outcome, compile_condition
from knowledge.facts import compute_facts
from knowledge.products import ProductCatalogue
from knowledge.records import Store
from suggest.knowledge_coverage import sample_orders

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")
STORE = Store(id="shop", name="店", return_window_days=7, price_protection_days=15)


@pytest.fixture
def prover() -> ConditionProver:
    return ConditionProver(STORE)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('order.status == "paid"', [("compared", "order.status", ("paid",))]),
        (
            '!(order.status in ["paid", "picking"]) && order.ship_overdue',
            [("one of", "order.status", ("paid", "picking")), ("plain", "order.ship_overdue", ())],
        ),
        ('has(order.case) || 3 <= order.days_since_paid', [("has", "order.case", ()), ("compared", "order.days_since_paid", (3,))]),
        (
            'order.item.category.startsWith("a && b") && !order.is_delivered',
            [("startsWith", "order.item.category", ("a && b",)), ("plain", "order.is_delivered", ())],
        ),
        ('now - order.delivered_at <= duration("48h")', [("age", "order.delivered_at", ())]),
        ('order.paid_at < timestamp("2026-11-01T00:00:00+08:00")', [("moment", "order.paid_at", ())]),
        ('"promo.coupon" in message.scenarios', [("in list", "message.scenarios", ("promo.coupon",))]),
        ("order.items.exists(i, i.quantity > 2 && i.sku == \"a\")", [("opaque", "", ())]),
    ],
)  # fmt: skip
def test_condition_is_taken_apart(source: str, found: list[tuple[str, str, tuple[object, ...]]]) -> None:
    assert [(atom.how, atom.path, atom.values) for atom in atoms_of(source)] == found


NEVER = [
    'order.status == "paid" && order.status == "shipped"',
    'order.is_unshipped && order.status == "delivered"',
    'order.is_delivered && order.status in ["paid", "shipped"]',
    "order.days_since_paid > 10 && order.days_since_paid < 5",
    "order.hours_overdue > 72.0 && order.hours_overdue <= 48.0",
    "order.hours_overdue < 0.0",
    'order.ship_overdue && order.status == "shipped"',
    "order.ship_overdue && order.hours_overdue == 0.0",
    "order.delivery_overdue && order.is_delivered",
    "order.in_return_window && order.days_since_delivered > 7",
    "!order.in_price_protection && order.days_since_paid <= 15",
    "customer.is_repeat && customer.orders_count <= 1",
    'has(order.case) && !has(order.case) ',
    '!has(order.case) && order.case.type == "return"',
    'order.item.category.startsWith("家电") && order.item.category == "服饰"',
    'now - order.delivered_at > duration("48h") && now - order.delivered_at <= duration("24h")',
    'order.paid_at < timestamp("2026-11-01T00:00:00+08:00") && order.paid_at >= timestamp("2026-11-20T00:00:00+08:00")',
    'order.status == "created" && !(order.status in ["created", "paid"])',
    "false",
]  # fmt: skip
POSSIBLE = [
    'order.status in ["paid", "picking"] && order.ship_overdue && order.hours_overdue > 72.0',
    "order.days_since_paid > 2 && order.days_since_paid < 4",
    "order.days_since_paid > 2.5 && order.days_since_paid < 3.5",
    "order.hours_overdue > 71.9 && order.hours_overdue < 72.0",
    "order.in_return_window && order.days_since_delivered == 7",
    "order.in_price_protection && order.days_since_paid > 14",
    'order.item.category.startsWith("家电") && order.item.category != "家电"',
    'order.item.title.contains("大") && order.item.title.contains("白") && !order.item.title.startsWith("大")',
    'now - order.delivered_at > duration("24h") && now - order.delivered_at <= duration("48h") && order.days_since_delivered < 3',
    'has(order.case) && !has(order.case.type)',
    '!has(order.status)', 'agent.role != "lead"', 'order.amount_paid >= 99.5 && order.amount_paid < 100.0', '"invoice" in message.scenarios',
    'order.booking.slot_from > now', "true",
]  # fmt: skip


@pytest.mark.parametrize("source", NEVER)
def test_contradiction_can_never_be_true(source: str, prover: ConditionProver) -> None:
    assert prover.can_be_true(source) is Answer.NO


@pytest.mark.parametrize("source", POSSIBLE)
def test_condition_that_some_order_meets_is_not_called_impossible(source: str, prover: ConditionProver) -> None:
    assert prover.can_be_true(source) is Answer.YES


@pytest.mark.parametrize(
    "source",
    [
        'order.items.exists(i, i.quantity > 2 && i.quantity < 1)',  # what stands inside a macro is not looked into
        'now - order.paid_at < duration("1h") && order.paid_at < timestamp("2020-01-01T00:00:00Z")',  # today is free
        " && ".join(f'order.item.title.contains("{word}")' for word in "一二三四五六七八九十百千万") + ' && order.item.title == "x"',
    ],
)  # fmt: skip
def test_what_trying_cannot_settle_is_undecided(source: str, prover: ConditionProver) -> None:
    assert prover.can_be_true(source) is Answer.UNDECIDED


ATOMS = [
    'order.status == "paid"', 'order.status in ["shipped", "delivered"]', "order.is_unshipped", "order.is_shipped", "order.is_delivered",
    "order.ship_overdue", "order.hours_overdue > 24.0", "order.hours_overdue <= 72.0", "order.delivery_overdue", "order.days_since_paid > 7",
    "order.days_since_paid <= 15", "order.in_price_protection", "order.days_since_delivered < 2", "order.in_return_window",
    "order.days_since_delivered > 30", "has(order.case)", 'order.case.type == "return"', 'order.case.status in ["refunding", "closed"]',
    'order.item.availability == "preorder"', 'order.logistics.status == "stalled"', "order.hours_since_last_scan >= 96.0",
    'now - order.delivered_at > duration("48h")',
]  # fmt: skip
CONDITIONS = st.lists(st.tuples(st.sampled_from(["", "!"]), st.sampled_from(ATOMS)), min_size=2, max_size=4).map(
    lambda atoms: " && ".join(f"{negated}({atom})" for negated, atom in atoms)
)


@settings(max_examples=150, deadline=None)
@given(source=CONDITIONS)
def test_no_real_order_meets_what_was_called_impossible(source: str) -> None:
    if ConditionProver(STORE).can_be_true(source) is Answer.NO:
        catalogue = ProductCatalogue([])
        facts = [compute_facts(order=one, customer=None, agent=None, now=NOW, store=STORE, catalogue=catalogue) for one in sample_orders(None, NOW)]
        assert [one for one in facts if compile_condition(source).evaluate(one).outcome is Outcome.TRUE] == []


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ('order.status in ["paid", "picking"]', 'order.status == "picking" || order.status == "paid"', Answer.YES),
        ('order.is_unshipped && order.status != "created"', 'order.status in ["paid", "picking", "packed"]', Answer.YES),
        ("order.days_since_paid <= 3", "!(order.days_since_paid > 3)", Answer.YES),
        ("order.days_since_paid <= 3", "order.days_since_paid < 3", Answer.NO),
        ("order.is_shipped", "order.is_delivered", Answer.NO),
        ("order.ship_overdue", "order.hours_overdue > 0.0", Answer.YES),
    ],
)
def test_conditions_that_mean_the_same(first: str, second: str, answer: Answer, prover: ConditionProver) -> None:
    assert prover.mean_the_same(first, second) is answer


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ("order.is_unshipped", 'order.status == "paid"', Answer.YES),
        ("order.is_unshipped", "order.is_shipped", Answer.NO),
        ("", 'order.status == "paid"', Answer.YES),
        ("order.hours_overdue <= 48.0", "order.hours_overdue > 48.0", Answer.NO),
    ],
)
def test_conditions_that_hold_at_once(first: str, second: str, answer: Answer, prover: ConditionProver) -> None:
    assert prover.can_both_hold(first, second) is answer


def test_orders_come_in_the_same_order_every_time() -> None:
    orders = [list(Domain(['order.status == "paid" && order.ship_overdue'], STORE).orders()) for _ in range(2)]

    assert orders[0] == orders[1]
    assert len(orders[0]) > 10
