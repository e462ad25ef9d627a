"""Two questions in one message, answered in one draft when both answers are sure and get along."""

import re
from collections.abc import Iterable, Sequence

from knowledge.records import ProvenReply
from suggest.choices import Answer
from suggest.composition import bare, sentences_of
from suggest.contract import Suggestion
from suggest.framing import ON_THEIR_OWN
from suggest.likeness import alike
from suggest.ranking import Candidate

_BOTH = 0.8  # least product of the two confidences; with the limits below, 42 of 46 such pairs of our labelled chats were right in both halves (D51)
_OWN = 0.3  # least probability of the reply's contact reason in its own question
_STEPS = re.compile(r"[^，,；;。！？!?]+[，,；;。！？!?]*\s*")
_PIECES = re.compile(r"[^，,；;：:。！？!?]+")
_IF = re.compile(r"如果|要是|若|假如|\bif\b", re.IGNORECASE)
# A half that only tells how far the order has come: «看到已经打包了，还能取消不» asks one thing.
_TELLS = re.compile(
    r"^(?:我|你们?|看[到见]?|显示|包裹|快递|订单|东西|货|的|是){0,4}(?:已经?|都|刚刚?|才)(?:被|给)?(?:打包|打好包|拣货|发货|发出|寄出|签收|付款|付过?|下单|收到|到货|拿到)[了好过的]*$"
    r"|^(?:i (?:see|know) )?(?:it|that it|the order|the parcel)(?:'s| is| has)(?: already)?(?: been)? (?:packed|dispatched|shipped|delivered|paid|arrived)$",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"请|麻烦|留意|记得|(?:发|拍|传|告诉|提供|回复)(?:给|一下)?我|\bplease\b|\b(?:send|tell|show|reply)\b", re.IGNORECASE)
_DIFFERS = re.compile(r"[不没别勿无]|\d|\b(?:not|don't|never)\b")  # words that make it another request
_LEAST_STEP, _MORE_WORDS = 5, 6  # characters
_TOLD_AGAIN = 2  # pieces: two of a list of times, not one word of regret
_NEVER_CAME = "logistics.lost"
_CAME = re.compile(
    r"(?<!如果)(?<!若)(?<!要是)(?:这单|订单|包裹)[^，,。；;没未不预]{0,4}(?:已经?|都)(?:妥投|签收|送达|收到)|\border (?:was|has been) delivered", re.IGNORECASE
)
Pair = tuple[tuple[Answer, Candidate], tuple[Answer, Candidate]]
# Two ways to make one trouble good: the customer takes one of them.
_REMEDIES = ("return.", "exchange", "warranty.repair", "logistics.damage", "logistics.lost", "logistics.wrong_item", "product.quality")


def sure_pair(answers: Sequence[Answer], *, threshold: float) -> Pair | None:
    """Gives each question's best reply, in the order asked, where one draft may hold both.

    Together they reach the threshold and leave little doubt, and the two do not contradict: of one contact reason under different conditions,
    and of two remedies, only one can be right.
    """
    if len(answers) != 3 or not all(answer.candidates for answer in answers):
        return None
    whole, *asked = answers
    if any(_TELLS.search(one.question.text) for one in asked):
        return None
    (first, one), (second, other) = ((answer, answer.candidates[0]) for answer in asked)
    if one.confidence * other.confidence < max(threshold, _BOTH):  # what the joined draft is given as its confidence
        return None
    if whole.candidates[0].reply.id not in (one.reply.id, other.reply.id):
        return None
    if any(answer.question.scenarios.get(candidate.reply.scenario, 0.0) < _OWN for answer, candidate in ((first, one), (second, other))):
        return None
    return None if _at_odds(one.reply, other.reply) else ((first, one), (second, other))


def _at_odds(one: ProvenReply, other: ProvenReply) -> bool:
    if any(reply.scenario.startswith(ON_THEIR_OWN) for reply in (one, other)) or all(reply.scenario.startswith(_REMEDIES) for reply in (one, other)):
        return True
    return one.scenario == other.scenario or alike(one, other)


def speaks_against(one: str, other: str, reasons: tuple[str, str]) -> bool:
    """Whether the second answer tells again what the first has told, or either that the customer has what they say never came.

    Args:
        one: the first answer's words.
        other: the second's.
        reasons: the contact reason of each.
    """
    told = {_step(piece) for piece in _PIECES.findall(one)}
    again = sum(len(words := _step(piece)) >= _LEAST_STEP and words in told for piece in _PIECES.findall(other))
    beside_lost = [text for text, reason in zip((other, one), reasons, strict=True) if reason == _NEVER_CAME]
    return again >= _TOLD_AGAIN or any(_CAME.search(text) for text in beside_lost)


def without_repeated_requests(text: str, said: Iterable[str]) -> str:
    """Gives the text without the steps that ask for what these texts ask for in the same words, give or take a few before or after.

    「派送前请留意电话」 after 「请留意电话」 is the same request. A sentence that begins with an «if» stays whole, for its steps hang on that.
    """
    asked = [words for one in said for step in _STEPS.findall(one) if _REQUEST.search(words := _step(step))]
    return "".join(_without_steps(sentence, asked) for sentence in sentences_of(text)).strip() if asked else text


def _without_steps(sentence: str, asked: Sequence[str]) -> str:
    steps = _STEPS.findall(sentence)
    kept = [step for step in steps if not _is_asked(_step(step), asked)]
    if len(kept) == len(steps) or (kept and _IF.match(sentence)):
        return sentence
    left = "".join(kept).rstrip()
    return re.sub(r"[，；]$", "。", re.sub(r"[,;]$", ".", left)) + sentence[len(sentence.rstrip()) :] if left else ""


def _is_asked(step: str, asked: Sequence[str]) -> bool:
    if not _REQUEST.search(step):
        return False
    for other in asked:
        short, long = sorted((step, other), key=len)
        rest = long.replace(short, "", 1)
        if len(short) >= _LEAST_STEP and short in long and len(rest) <= _MORE_WORDS and not _DIFFERS.search(rest):
            return True
    return False


def _step(step: str) -> str:
    return bare(step).strip(" ,，;；")


def merged(first: Suggestion, second: Suggestion, *, main_id: str, suggestion_id: str, language: str) -> Suggestion:
    """Gives one suggestion of two that carry the joined draft: the main one's, with the evidence and reasons of both and the confidence that both fit."""
    main = first if first.reply_id == main_id else second
    evidence = {passage.passage_id: passage for passage in (*first.evidence, *second.evidence)}
    attachments = {attachment.url: attachment for attachment in (*first.attachments, *second.attachments)}
    said = "answers both questions in one draft" if language == "en" else "两个问题合在一条里回答"
    return main.model_copy(
        update={
            "suggestion_id": suggestion_id,
            "reply_ids": [first.reply_id, second.reply_id],
            "confidence": round(first.confidence * second.confidence, 4),
            "sendable": first.sendable and second.sendable,
            "verify": list(dict.fromkeys([*first.verify, *second.verify])),
            "evidence": list(evidence.values()),
            "attachments": list(attachments.values()),
            "auto_reply": False,  # a person reads before two answers go out
            "why": [said, *dict.fromkeys([*first.why, *second.why])],
        }
    )
