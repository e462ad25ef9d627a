"""A message in a trigger's very words leads to its reply, where the order allows it and nothing else tells what is meant."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from knowledge.conditions import ALWAYS, Outcome, Verdict
from knowledge.normalise import match_form
from suggest.ranking import Candidate
from suggest.signals import SIGNALS
from suggest.very_words import in_very_words
from tests.suggest.drafted import heard, reply

TO_CHECK = Verdict(Outcome.UNKNOWN, ("order.item",))
MISSING = reply(id="missing", scenario="logistics.wrong_item", text="少了的给您补寄。", triggers=("少发了一件",))
DEFECT = reply(id="defect", scenario="return.quality", text="缺页的给您换新。", triggers=("书缺页", "印错了"))
FREE = reply(id="free", scenario="warranty.repair", text="一年内免费修。", triggers=("保修多久",))
WATER = reply(id="water", scenario="warranty.repair", text="进水的要付费修。", triggers=("点读笔进水了",))


def question(message: str, *, lean: float = 0.0) -> Any:
    one = heard("calm")
    return replace(one, readings=(replace(one.readings[0], text=match_form(message)),), lean_on_history=lean)


def ranked(*candidates: Any, verdict: Verdict = ALWAYS) -> list[Candidate]:
    return [Candidate(one, verdict, 0.9 - place / 10, np.ones(len(SIGNALS), dtype=np.float32)) for place, one in enumerate(candidates)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("书缺页", ["defect", "missing"], id="the very words"),
        pytest.param("书缺页！！", ["defect", "missing"], id="marks are no words"),
        pytest.param("書缺頁", ["defect", "missing"], id="traditional"),
        pytest.param("书缺页了怎么弄", ["missing", "defect"], id="more was said: the ranker knows better"),
    ],
)
def test_the_reply_whose_trigger_the_message_is_goes_first(message: str, expected: list[str]) -> None:
    candidates = ranked(MISSING, DEFECT)

    found = in_very_words(candidates, question(message))

    assert expected == [one.reply.id for one in found]
    assert [one.confidence for one in candidates] == [one.confidence for one in found]


def test_a_clause_leads_only_among_replies_of_one_contact_reason() -> None:
    assert ["water", "free"] == [one.reply.id for one in in_very_words(ranked(FREE, WATER), question("点读笔进水了 保修不"))]
    assert ["missing", "water"] == [one.reply.id for one in in_very_words(ranked(MISSING, WATER), question("点读笔进水了，还少发了一件"))]


def test_what_the_order_leaves_open_does_not_lead() -> None:
    candidates = [*ranked(MISSING), *ranked(DEFECT, verdict=TO_CHECK)]

    assert ["missing", "defect"] == [one.reply.id for one in in_very_words(candidates, question("书缺页"))]


def test_a_short_answer_to_the_agent_is_not_a_triggers_question() -> None:
    assert ["missing", "defect"] == [one.reply.id for one in in_very_words(ranked(MISSING, DEFECT), question("书缺页", lean=0.8))]
