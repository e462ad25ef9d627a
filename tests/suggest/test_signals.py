"""What the ranker sees, against the same figures counted one by one: a made-up shop whose words, needs, votes and order are all small."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from indexes.build import build_snapshot
from indexes.cases import Case
from indexes.classifier import TextClassifier
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from knowledge.conditions import Outcome, compile_condition
from knowledge.records import ProvenReply
from knowledge.shop import load_shop
from suggest.eligibility import Eligibility
from suggest.history import HistoryGate
from suggest.meaning import MOOD_FEATURES, MeaningModel, MeaningWeights, scenarios_of
from suggest.moods import MoodModel
from suggest.pipeline import Suggester
from suggest.ranking import Ranker
from suggest.retrieval import Hits
from suggest.signals import CONSIDERED, JUDGED, SIGNALS, SignalTable, signal_table
from suggest.traits import ReplyTraits
from suggest.understanding import MessageReader, Understanding
from tests.fakes import DIMENSION, MORNING, SPLITTER, FakeEmbedder, write_classifier, write_shop

WORDS = "发票 快递 退货 抬头 没动 怎么 几天 包裹 申请 重开 运费 地址 颜色 尺码".split()
SCENARIOS = ("invoice", "logistics.delay", "return.no_reason")
CONDITIONS = ("", "order.status == 'shipped'", "order.status == 'paid' && order.payment_method == 'alipay'", "order.payment_method == 'gift_card'")
N_REPLIES = 80
EMBEDDER = FakeEmbedder()
Seen = tuple[Understanding, Hits, Eligibility, SignalTable]


def said(rng: random.Random, n: int) -> str:
    return "".join(rng.sample(WORDS, k=n))


def replies() -> list[dict[str, Any]]:
    rng = random.Random(11)
    return [
        {
            "id": f"reply-{number:02}",
            "scenario": rng.choice(SCENARIOS),
            "text": f"{said(rng, 2)}，这样就好。",
            "triggers": "|".join(said(rng, rng.choice([1, 2, 3])) for _ in range(rng.choice([1, 2, 3]))),
            "status": "approved",
            "when": CONDITIONS[number % len(CONDITIONS)],
            "tone": ("upset", "calm", "")[number % 3],
            "cites": "stalled" if number % 5 == 0 else "",
        }
        for number in range(N_REPLIES)
    ]


def cases() -> list[Case]:
    rng = random.Random(12)
    return [Case(f"talk-{number}", said(rng, 3), {f"reply-{rng.randrange(N_REPLIES):02}": rng.choice([1.0, 0.6])}) for number in range(30)]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory, tiny_needs: TextClassifier) -> Snapshot:
    shop = load_shop(write_shop(tmp_path_factory.mktemp("shops") / "signals", replies=replies()))
    return build_snapshot(shop, embedder=EMBEDDER, needs=tiny_needs, now=MORNING, cases=cases())


def what_is_shipped_may_be_late(needs: TextClassifier) -> MeaningModel:
    scenarios = scenarios_of(needs)
    signs = np.array([[2.0 * (name == "logistics.delay") for name in scenarios]], dtype=np.float32)
    bias, moods, own = (np.zeros((*n, len(scenarios)), dtype=np.float32) for n in ((), (len(MOOD_FEATURES),), (len(needs.labels),)))
    weights = MeaningWeights(1.0, bias, signs, moods, own)
    return MeaningModel(scenarios, ("state shipped",), needs.labels, weights)


@pytest.fixture(scope="module")
def suggester(snapshot: Snapshot, tiny_needs: TextClassifier, tmp_path_factory: pytest.TempPathFactory) -> Suggester:
    folder = tmp_path_factory.mktemp("moods")

    def hearing(labels: Sequence[str], bias: Sequence[float]) -> TextClassifier:
        write_classifier(folder / labels[0], labels=labels, ngrams={}, dense=np.zeros((DIMENSION, len(labels))), bias=bias)
        return TextClassifier(folder / labels[0], EMBEDDER)

    reader = MessageReader(
        needs=tiny_needs,
        emotions=hearing(("angry", "anxious", "calm", "upset"), (0.0, 1.0, 0.5, 0.2)),
        threats=hearing(("none", "threat"), (0.0, -1.0)),
        meaning=what_is_shipped_may_be_late(tiny_needs),
        moods=MoodModel.as_heard(),
        gate=HistoryGate(((0.5,) * 7, (0.1,) * 7, (0.0,) * 7, (0.3,) * 7)),
        splitter=SPLITTER,
    )
    return Suggester(snapshot, embedder=EMBEDDER, reader=reader, ranker=Ranker.unfitted())


def chat(number: int, message: str, *, history: Sequence[str] = (), order: dict[str, Any] | None = None) -> LabelledChat:
    return LabelledChat.model_validate(
        {
            "id": f"chat-{number}", "store": "tiny", "now": datetime.fromisoformat("2026-11-21T10:00:00+08:00"), "message": message, "order": order,
            "history": [{"role": role, "text": text} for role, text in zip(("customer", "agent") * len(history), history, strict=False)], "labels": {},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def seen(suggester: Suggester, snapshot: Snapshot) -> list[Seen]:
    """Forty messages, with and without history, order and several clauses, and the table of each."""
    rng, traits, found = random.Random(13), ReplyTraits(snapshot), []
    for number in range(40):
        message = said(rng, rng.choice([1, 2, 3])) + rng.choice(["", f"？还有{said(rng, 2)}怎么办"])
        history = [said(rng, 2), said(rng, 2)] if number % 3 == 0 else ()
        order = rng.choice([None, {"status": "shipped"}, {"status": "paid"}, {"status": "paid", "payment_method": "alipay"}])
        questions, eligibility = suggester.retrieved(chat(number, message, history=history, order=order))
        question, hits = questions[0]
        found.append((question, hits, eligibility, signal_table(question, hits, snapshot, eligibility, traits)))
    return found


def column(table: SignalTable, name: str) -> list[float]:
    return table.values[:, SIGNALS.index(name)].tolist()


def cosine(one: str, other: str) -> float:
    return float(EMBEDDER.encode_query([one])[0] @ EMBEDDER.encode_document([other])[0])


def mixed(question: Understanding, text: str) -> float:
    """The text's cosine to every reading, by the reading's share in what is meant."""
    return sum(float(share) * cosine(reading.text, text) for share, reading in zip(question.shares, question.readings, strict=True))


def own_words(snapshot: Snapshot, reply: ProvenReply) -> str:
    [words] = [key.text for key in snapshot.keys if not key.is_trigger and snapshot.shop.replies[key.reply_row].id == reply.id]
    return words


def squashed_bm25(snapshot: Snapshot, text: str) -> dict[str, float]:
    scores = snapshot.key_terms.scores(text)
    return {key.text: float(score) / (float(score) + 12) for key, score in zip(snapshot.keys, scores, strict=True)}


def assert_everywhere(seen: list[Seen], name: str, expected: Callable[[Understanding, ProvenReply], float]) -> None:
    """The column is as counted in every table, and says more than one thing."""
    values = set()
    for question, _, _, table in seen:
        assert column(table, name) == pytest.approx([expected(question, reply) for reply in table.replies], abs=1e-5)
        values |= set(column(table, name))
    assert len(values) > 1


# ---- nearness ----------------------------------------------------------------------------------------------------------------


def test_trigger_is_the_nearest_triggers_cosine_to_the_message_alone(seen: list[Seen]):
    assert_everywhere(seen, "trigger", lambda question, reply: max(0.0, *(cosine(question.text, trigger) for trigger in reply.triggers)))


def test_trigger_mixed_hears_what_was_said_before_by_its_share(seen: list[Seen]):
    assert_everywhere(seen, "trigger_mixed", lambda question, reply: max(0.0, *(mixed(question, trigger) for trigger in reply.triggers)))


def test_trigger_mean_is_over_all_of_a_replys_triggers(seen: list[Seen]):
    assert_everywhere(seen, "trigger_mean", lambda question, reply: float(np.mean([mixed(question, trigger) for trigger in reply.triggers])))


def test_trigger_clause_is_the_nearest_of_any_clause(seen: list[Seen]):
    def expected(question: Understanding, reply: ProvenReply) -> float:
        texts = [clause.text for clause in question.clauses] or [question.text]
        return max(0.0, *(cosine(text, trigger) for text in texts for trigger in reply.triggers))

    assert any(question.clauses for question, *_ in seen)
    assert_everywhere(seen, "trigger_clause", expected)


def test_words_are_the_replys_own_not_its_triggers(seen: list[Seen], snapshot: Snapshot):
    assert_everywhere(seen, "words", lambda question, reply: max(0.0, cosine(question.text, own_words(snapshot, reply))))


def test_lexical_is_the_best_triggers_bm25(seen: list[Seen], snapshot: Snapshot):
    assert_everywhere(seen, "lexical", lambda question, reply: max(squashed_bm25(snapshot, question.text)[trigger] for trigger in reply.triggers))


def test_said_before_is_how_near_the_agents_last_turn_was(seen: list[Seen], snapshot: Snapshot):
    def expected(question: Understanding, reply: ProvenReply) -> float:
        return max(0.0, cosine(question.said_last, own_words(snapshot, reply))) if question.said_last else 0.0

    assert_everywhere(seen, "said_before", expected)


def test_voted_is_the_loudest_case_for_the_reply(seen: list[Seen]):
    taught = cases()

    def expected(question: Understanding, reply: ProvenReply) -> float:
        return max([0.0, *(mixed(question, case.text) * case.votes[reply.id] for case in taught if reply.id in case.votes)])

    assert_everywhere(seen, "voted", expected)


# ---- fit ---------------------------------------------------------------------------------------------------------------------


def test_scenario_is_how_likely_the_replys_own_scenario_is(seen: list[Seen]):
    assert_everywhere(seen, "scenario", lambda question, reply: question.scenarios[reply.scenario])
    assert_everywhere(seen, "scenario_message", lambda question, reply: question.scenarios_of_message[reply.scenario])
    assert any(question.scenarios != pytest.approx(question.scenarios_heard) for question, *_ in seen)  # what was shipped may be late


def test_a_condition_that_wants_a_fact_is_unknown_and_not_specific(seen: list[Seen]):
    facts = {"": 0, CONDITIONS[1]: 1, CONDITIONS[2]: 2, CONDITIONS[3]: 1}
    told: set[tuple[float, float]] = set()
    for _, _, eligibility, table in seen:
        known = [eligibility.of_reply(reply).outcome is Outcome.TRUE for reply in table.replies]
        assert column(table, "unknown") == [float(not one) for one in known]
        assert column(table, "specific") == pytest.approx([facts[reply.when] / 5 * one for reply, one in zip(table.replies, known, strict=True)])
        told |= set(zip(column(table, "unknown"), np.round(column(table, "specific"), 4).tolist(), strict=True))
    assert told == {(0.0, 0.0), (0.0, 0.2), (0.0, 0.4), (1.0, 0.0)}


def test_tone_meets_mood(seen: list[Seen]):
    assert_everywhere(seen, "upset_words_to_upset", lambda question, reply: (reply.tone == "upset") * (question.emotions["upset"] + question.emotions["angry"]))
    assert_everywhere(seen, "calm_words_to_anxious", lambda question, reply: (reply.tone == "calm") * question.emotions["anxious"])
    assert_everywhere(seen, "neutral", lambda _, reply: float(not reply.tone))


@pytest.mark.parametrize("name", ["trigger", "lexical", "scenario", "voted", "specific", "cited_article", "needs_profile"])
def test_from_best_is_how_far_below_the_best_of_the_table(seen: list[Seen], name: str):
    for *_, table in seen:
        values = column(table, name)
        assert column(table, f"{name}_from_best") == pytest.approx([value - max(values) for value in values], abs=1e-6)
        assert max(column(table, f"{name}_from_best")) == 0


def test_in_scenario_is_how_far_below_the_best_of_its_own_scenario(seen: list[Seen]):
    for *_, table in seen:
        values, scenarios = column(table, "trigger_mixed"), [reply.scenario for reply in table.replies]
        best = {name: max(value for value, own in zip(values, scenarios, strict=True) if own == name) for name in scenarios}
        below = [value - best[name] for value, name in zip(values, scenarios, strict=True)]
        assert column(table, "trigger_mixed_in_scenario") == pytest.approx(below, abs=1e-6)


# ---- the table ---------------------------------------------------------------------------------------------------------------


def test_a_reply_whose_condition_is_false_is_never_in_the_table(seen: list[Seen], snapshot: Snapshot):
    ruled_out = 0
    for _, _, eligibility, table in seen:
        verdicts = [compile_condition(reply.when).evaluate(eligibility.circumstances.facts).outcome for reply in table.replies]
        assert Outcome.FALSE not in verdicts
        assert verdicts == [verdict.outcome for verdict in table.verdicts]
        ruled_out += sum(eligibility.of_reply(reply).outcome is Outcome.FALSE for reply in snapshot.shop.replies)
    assert ruled_out > 0


def test_the_nearest_that_the_order_allows_are_considered_by_reply_id(seen: list[Seen], snapshot: Snapshot):
    """By brute force: of the nearest forty by the plain sum of channels the best twenty-four, unknown ones sunk, specific ones raised."""
    cut = 0
    for question, hits, eligibility, table in seen:
        bm25, voted = squashed_bm25(snapshot, question.text), dict(zip(hits.replies.reply_rows.tolist(), hits.replies.voted.tolist(), strict=True))
        near, fit = {}, {}
        for row, reply in enumerate(snapshot.shop.replies):
            outcome = eligibility.of_reply(reply).outcome
            if outcome is Outcome.FALSE:
                continue
            keys = [key for key, one in enumerate(snapshot.keys) if one.reply_row == row and one.is_trigger]
            profile = np.mean([snapshot.key_needs.matrix[key] ** 2 for key in keys], axis=0)
            needs = float(np.sqrt(profile) @ np.sqrt(question.mixed_needs))
            trigger = max(0.0, *(mixed(question, one) for one in reply.triggers))
            near[reply.id] = (
                trigger + 0.4 * max(bm25[one] for one in reply.triggers) + 0.6 * question.scenarios[reply.scenario] + 0.4 * voted[row] + 0.5 * needs
            )
            specific = min(compile_condition(reply.when).specificity, 5) / 5
            fit[reply.id] = near[reply.id] + (-0.35 if outcome is Outcome.UNKNOWN else 0.25 * specific)
        judged = sorted(near, key=lambda name: -near[name])[:JUDGED]
        ids = [reply.id for reply in table.replies]
        assert ids == sorted(ids)
        assert len(ids) == min(CONSIDERED, len(judged))
        assert min(near[one] for one in ids) >= min(near[one] for one in judged) - 1e-5
        assert min(fit[one] for one in ids) >= max((fit[one] for one in judged if one not in ids), default=0.0) - 1e-5
        cut += len(near) > JUDGED
    assert cut > 0


def test_every_row_has_every_signal_and_no_signal_is_nan(seen: list[Seen]):
    assert len(set(SIGNALS)) == len(SIGNALS)
    for *_, table in seen:
        assert (table.values.shape, table.values.dtype) == ((len(table.replies), len(SIGNALS)), np.float32)
        assert np.isfinite(table.values).all()


def test_the_same_request_twice_gives_the_same_bytes(suggester: Suggester):
    one = chat(0, "快递没动几天？还有发票抬头怎么办", history=["我要退货", "请稍等"], order={"status": "shipped"})

    first, second = suggester.signals(one), suggester.signals(one)

    assert first.values.tobytes() == second.values.tobytes()
    assert (first.replies, first.verdicts) == (second.replies, second.verdicts)


def test_a_chats_own_conversation_has_no_vote_in_the_signals_it_is_fitted_on(suggester: Suggester, snapshot: Snapshot):
    heard = 0
    for taught in cases():
        [reply] = taught.votes
        own, stranger = (chat(0, taught.text).model_copy(update={"id": name}) for name in (taught.conversation, "stranger"))

        votes = [dict(zip([one.id for one in table.replies], column(table, "voted"), strict=True)) for table in map(suggester.signals, (own, stranger))]

        if reply in votes[1]:  # else it is not among those considered
            assert votes[0].get(reply, 0.0) < votes[1][reply] == pytest.approx(taught.votes[reply], abs=1e-5)
            heard += 1
    assert heard >= 3


def test_when_nothing_may_be_sent_the_table_is_empty(seen: list[Seen], snapshot: Snapshot):
    question, hits, eligibility, _ = next(one for one in seen if one[2].circumstances.facts["order"].get("status") == "paid")
    shipped_only = [row for row, reply in enumerate(snapshot.shop.replies) if reply.when == CONDITIONS[1]]
    pool = replace(hits.pool, reply_rows=np.array(shipped_only), voted=hits.pool.voted[shipped_only])
    few = replace(hits, pool=pool)

    table = signal_table(question, few, snapshot, eligibility, ReplyTraits(snapshot))

    assert (table.replies, table.verdicts, table.values.shape) == ((), (), (0, len(SIGNALS)))
