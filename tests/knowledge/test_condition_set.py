"""Conditions judged together against each judged by itself."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from knowledge.chats import read_chats
from knowledge.condition_set import ConditionSet, conjuncts
from knowledge.conditions import Condition, Outcome
from knowledge.facts import compute_facts
from knowledge.shop import load_shop

STORES = Path(__file__).parents[2] / "knowledge" / "stores"
ATOMS = [
    'order.status == "paid"',
    'order.status in ["paid", "packed"]',
    "order.ship_overdue",
    "!order.ship_overdue",
    "order.hours_overdue > 24.0",
    "has(order.case)",
    'order.case.status == "refunding"',
    '(order.is_shipped || order.status == "paid")',
    'has(order.item) && order.item.category == "家电"',
    'order.item.category.startsWith("家")',
    "size(order.items) > 1",
    'order.items.exists(i, i.sku == "A")',
    'order.items[0].sku == "A"',
    "order.hours_overdue",
    'now < timestamp("2026-11-21T00:00:00+08:00")',
    'order.hours_overdue > "x"',
    "customer.tier == 'vip' ? order.ship_overdue : !order.ship_overdue",
    "true",
    '"a && b" != order.status',
    'now - order.delivered_at > duration("48h")',
    'now - order.delivered_at <= duration("30m")',
    "order.delivered_at < now",
    'now + duration("24h") >= order.delivered_at',
    "order.amount_paid >= 99.5",
    "order.amount_paid == 20",
    "100.0 > order.amount_paid",
    "!(order.hours_overdue <= 30.0)",
    'order.delivered_at >= timestamp("2026-11-20T00:00:00+08:00")',
    "now > order.delivered_at || order.amount_paid < 99.5",
    '"a" in message.scenarios',
]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_AGO = (timedelta(hours=48), timedelta(hours=48, seconds=1), timedelta(minutes=30), timedelta(0), timedelta(hours=-24), timedelta(days=-3))  # fmt: skip


def random_facts(rng: random.Random) -> dict[str, Any]:
    order = {
        "status": rng.choice(["paid", "packed", "shipped", "x" * 60]), "ship_overdue": rng.random() < 0.5, "hours_overdue": rng.choice([0.0, 30.0, 30]),
        "delivered_at": rng.choice([*(NOW - ago for ago in LONG_AGO), NOW.date(), "yesterday"]),
        "amount_paid": rng.choice([Decimal("99.5"), Decimal("99.49"), 20, 20.0, 2**60, float("inf"), float("nan"), "x", True]),
        "is_shipped": rng.random() < 0.5, "case": rng.choice([{}, {"status": "refunding"}, {"status": "closed"}]),
        "item": rng.choice([{}, {"category": "家电"}, {"category": "服饰"}]), "items": rng.choice([[], [{"sku": "A"}], [{"sku": "B"}, {"sku": "A"}]]),
    }  # fmt: skip
    sent = {name: value for name, value in order.items() if rng.random() < 0.7}
    return {
        "order": sent,
        "customer": rng.choice([{}, {"tier": "vip"}]),
        "agent": {},
        "message": rng.choice([{}, {"scenarios": ["a", "b"]}, {"scenarios": []}]),
    } | ({"now": NOW} if rng.random() < 0.9 else {})


def test_random_conditions_judged_together_and_alone_agree():
    rng = random.Random(5)
    sources = ["", *(" && ".join(rng.sample(ATOMS, rng.choice([1, 2, 3]))) for _ in range(120)), *(" || ".join(rng.sample(ATOMS, 2)) for _ in range(20))]
    together = ConditionSet(sources)
    seen = dict.fromkeys(Outcome, 0)
    for _ in range(150):  # again and again: what is remembered must be right too
        facts = random_facts(rng)
        judged = together.judge(facts)
        false, unknown = judged.false_ones, judged.unknown_ones
        for source, number in together.number.items():
            alone = Condition(source).evaluate(facts)
            verdict = judged.verdict(number)
            assert alone.outcome is verdict.outcome, (source, facts)
            assert false[number] == (alone.outcome is Outcome.FALSE)
            assert (unknown[number] and not false[number]) == (alone.outcome is Outcome.UNKNOWN)
            if alone.outcome is Outcome.UNKNOWN:
                assert set(alone.verify) <= set(Condition(source).paths) and verdict.verify
            seen[alone.outcome] += 1
    assert min(seen.values()) > 500


def test_with_missing_facts_filled_in_the_undecided_come_to_what_all_of_them_would():
    rng = random.Random(9)
    sources = ["", *(" && ".join(rng.sample(ATOMS, rng.choice([1, 2, 3]))) for _ in range(120))]
    together, filled, n_decided = ConditionSet(sources), frozenset({"order.ship_overdue", "order.item.category", "customer.tier"}), 0
    for _ in range(150):
        facts = random_facts(rng)
        facts["order"].setdefault("item", {})
        added = facts | {
            "order": {"ship_overdue": rng.random() < 0.5} | facts["order"] | {"item": {"category": "家电"} | facts["order"]["item"]},
            "customer": {"tier": "vip"} | facts["customer"],
        }
        before, whole = together.judge(facts), together.judge(added)
        again = together.judge_filled(before, added, filled)
        undecided = before.unknown_ones & ~before.false_ones
        assert (again.false_ones[undecided] == whole.false_ones[undecided]).all()
        assert (again.unknown_ones & ~again.false_ones)[undecided].tolist() == (whole.unknown_ones & ~whole.false_ones)[undecided].tolist()
        n_decided += int((undecided & ~(whole.unknown_ones & ~whole.false_ones)).sum())
    assert n_decided > 300


def test_a_whole_number_that_was_judged_is_neither_a_truth_value_nor_another_number():
    together = ConditionSet(["order.days_since_paid == 1", "order.days_since_paid > 1", "order.days_since_paid"])
    given = [{"order": {"days_since_paid": value}} for value in (1, True, 2, 1.0, 1, True)]

    judged = [[together.judge(facts).verdict(number).outcome for number in range(3)] for facts in given]

    assert judged == [[Condition(source).evaluate(facts).outcome for source in together.number] for facts in given]
    assert judged[0] != judged[1]


@pytest.mark.parametrize("store", ["demo", "fresh", "home", "sport", "demo_en", "pets_en"])
def test_every_condition_of_a_shipped_shop_is_judged_as_by_itself(store: str):
    folder = STORES / store
    shop = load_shop(folder)
    chats, _ = read_chats(folder / "chats" / "test.jsonl", root=folder)
    together, catalogue = ConditionSet([reply.when for reply in shop.replies]), shop.catalogue()
    for chat in random.Random(2).sample(chats, 30):
        facts = compute_facts(
            order=chat.order, customer=chat.customer, agent=chat.agent, now=chat.now, store=shop.store, catalogue=catalogue, said=[chat.message]
        )
        judged = together.judge(facts)
        assert {source: judged.verdict(number) for source, number in together.number.items()} == {
            source: Condition(source).evaluate(facts) for source in together.number
        }


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("", ()),
        ("order.ship_overdue", ("order.ship_overdue",)),
        ('order.status == "a && b" && (order.x || order.y)', ('order.status == "a && b"', "(order.x || order.y)")),
        ("order.x && order.y || order.z", ("order.x && order.y || order.z",)),
        ("order.x && order.y ? order.z : order.w", ("order.x && order.y ? order.z : order.w",)),
        ("order.items.exists(i, i.a && i.b) && order.x", ("order.items.exists(i, i.a && i.b)", "order.x")),
    ],
)
def test_only_what_the_top_level_and_joins_is_taken_apart(source: str, parts: tuple[str, ...]):
    assert parts == conjuncts(source)
