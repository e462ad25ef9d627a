"""How much likelier a scenario is in a state, by hand over six chats."""

from pathlib import Path
from typing import Any

import pytest

from knowledge.chats import LabelledChat
from knowledge.shop import Shop
from suggest.asked_states import asked_ratios, count_asked

UNPAID = {"status": "created"}
CANCELLED = {"status": "cancelled"}


def chat(number: int, scenario: str, order: dict[str, Any] | None, *, answerable: bool = True) -> LabelledChat:
    labels: dict[str, Any] = {"scenarios": [scenario], "answerable": answerable}
    return LabelledChat.model_validate(
        {"id": f"c{number}", "store": "tiny", "now": "2026-11-21T10:00:00+08:00", "message": "在吗", "order": order, "labels": labels}
    )


def test_ratios_by_hand(tiny_shop: Shop, tmp_path: Path) -> None:
    chats = [
        *(chat(number, "payment.method", UNPAID) for number in range(3)),
        chat(3, "invoice", CANCELLED),
        chat(4, "invoice", None),
        chat(5, "invoice", UNPAID, answerable=False),  # does not count
    ]

    count_asked([(tiny_shop, chats)], tmp_path / "asked.json")

    ratios = asked_ratios(tmp_path / "asked.json")
    assert set(ratios) == {"unpaid", "ended"}  # nothing is said of who has no order
    # Five count: unpaid 3/5, ended 1/5. (n in the state + 3 · usual) / (n + 3) / usual
    assert ratios["unpaid"] == {"payment.method": pytest.approx((3 + 1.8) / 6 / 0.6, abs=1e-3), "invoice": pytest.approx((0 + 1.8) / 5 / 0.6, abs=1e-3)}
    assert ratios["ended"] == {"payment.method": pytest.approx((0 + 0.6) / 6 / 0.2, abs=1e-3), "invoice": pytest.approx((1 + 0.6) / 5 / 0.2, abs=1e-3)}
