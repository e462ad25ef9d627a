"""Why a draft is offered, or why none is, in the shop's language. Words for people; decides nothing."""

from collections.abc import Sequence
from functools import lru_cache

from knowledge.conditions import Outcome, compile_condition
from knowledge.fact_paths import fact_name
from knowledge.scenarios import scenario_name
from suggest.contract import Abstention
from suggest.ranking import Candidate
from suggest.understanding import Understanding


def reasons(candidate: Candidate, question: Understanding, *, language: str, own: bool = True, answered: Sequence[str] = ()) -> list[str]:
    """Gives short reasons: what they want and have just answered, what of the order decided, what is still to be checked, that it needs a lead's leave."""
    english = language == "en"
    reply = candidate.reply
    probability = question.scenarios.get(reply.scenario, 0.0)
    name = scenario_name(reply.scenario, language=language)
    told = [f"asks about {name} ({probability:.0%})" if english else f"客户在问：{name}（{probability:.0%}）"]
    if answered:
        told.append(_just_answered(answered, english))
    if reply.when and candidate.verdict.outcome is Outcome.TRUE:
        told.append(_fits(reply.when, english))
    if candidate.verdict.verify:
        facts = _named(candidate.verdict.verify, english)
        told.append(f"check first: {facts}" if english else f"请先核对：{facts}")
    if not own:
        told.append("ask your lead" if english else "需主管授权")
    return told


@lru_cache(maxsize=16_384)  # of the shops' own conditions
def _fits(when: str, english: bool) -> str:
    return ("fits this order: " if english else "符合这笔订单：") + _named(condition_facts(when), english)


def condition_facts(when: str) -> tuple[str, ...]:
    """Gives the facts that a condition looks at, for naming what of the order decided."""
    return compile_condition(when).paths


def _named(paths: Sequence[str], english: bool) -> str:
    names = dict.fromkeys(fact_name(path, language="en" if english else "zh-CN") for path in paths)
    return (", " if english else "、").join(names)


def _just_answered(answered: Sequence[str], english: bool) -> str:
    return f"just answered: {', '.join(answered)}" if english else f"客户刚答了：{'、'.join(answered)}"


def abstention(understanding: Understanding, candidates: Sequence[Candidate], threshold: float, language: str, *, answered: Sequence[str] = ()) -> Abstention:
    """Gives why nothing is suggested; `answered` is what the customer has just told or chosen because they were asked."""
    english = language == "en"
    if not understanding.readings[0].has_words:
        said = "there are no words in the message" if english else "消息里没有文字，无法判断客户的意思"
        return Abstention(reason="no_words", message=said)
    if not candidates:
        said = "no reply of this shop fits this order" if english else "没有适用于这笔订单的话术"
        return Abstention(reason="nothing_eligible", message=said)
    best = candidates[0].confidence
    if best >= threshold and answered:
        told = _just_answered(answered, english)
        said = f"{told}; what fits asks that again, so carry on from the answer" if english else f"{told}；合适的话术只会再问一遍，请按回答接着往下处理"
        return Abstention(reason="already_said", message=said)
    if best >= threshold:
        said = "what fits was said in this conversation already; carry on from there" if english else "合适的话在这段对话里都说过了，请接着往下处理"
        return Abstention(reason="already_said", message=said)
    said = (
        f"the nearest reply is {best:.0%} sure, below the threshold of {threshold:.0%}"
        if english
        else f"最接近的话术把握只有 {best:.0%}，低于门槛 {threshold:.0%}，请人工回复"
    )
    return Abstention(reason="below_threshold", message=said)
