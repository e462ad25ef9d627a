"""What a new pipeline has ready before the first customer writes."""

from dataclasses import replace

from indexes.snapshot import Snapshot
from knowledge.templates import compile_template
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.traceability import claims_of_source
from suggest.warming import warm
from tests.conftest import suggester_of

REMEMBERED = (compile_template, claims_of_source)


def misses() -> list[int]:
    return [one.cache_info().misses for one in REMEMBERED]


def test_all_replies_of_a_shop_are_read_before_it_serves(demo_suggester: Suggester) -> None:
    for one in REMEMBERED:
        one.cache_clear()
    warm(demo_suggester, resting=False)
    before = misses()

    for reply in demo_suggester.snapshot.shop.replies:
        for source in reply.templates().values():
            compile_template(source)
            claims_of_source(source)

    assert misses() == before
    assert min(before) > len(demo_suggester.snapshot.shop.replies)


def test_a_reply_that_cannot_be_read_keeps_no_shop_from_serving(demo_snapshot: Snapshot, models: Models) -> None:
    *others, last = demo_snapshot.shop.replies
    broken = last.model_copy(update={"information": "还剩{{ order.no_such_fact }}"})
    shop = replace(demo_snapshot.shop, replies=(*others, broken))

    warm(suggester_of(replace(demo_snapshot, shop=shop), models), resting=False)
