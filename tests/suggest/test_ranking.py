"""Order and confidence: by hand, for anything hypothesis thinks of, and on the demo shop as it ships."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat, read_chats
from knowledge.conditions import ALWAYS
from knowledge.records import ConfidenceTargets
from knowledge.shop import Shop
from suggest.contract import SuggestionResponse
from suggest.live import Models
from suggest.pipeline import Suggester, request_of
from suggest.ranking import CARD, CONFIDENCE_SIGNALS, TREES, Confidence, Ranker, best_first, confidence_features, threshold_for
from suggest.signals import SIGNALS, SignalTable
from suggest.trees import arrays_of

N_FEATURES, N_SIGNALS = len(CONFIDENCE_SIGNALS), len(SIGNALS)
Answers = list[tuple[LabelledChat, SuggestionResponse]]
numbers = st.floats(-1e4, 1e4, width=32)
rows_of_features = st.lists(numbers, min_size=N_FEATURES, max_size=N_FEATURES).map(np.array)


def flat(*, bias: float = 0.0, fall: float = 1.0) -> Confidence:
    """A confidence that only looks at how far below the first a score is."""
    return Confidence(np.zeros(N_FEATURES), np.zeros(N_FEATURES), bias=bias, fall=fall)


def linear_ranker(usual: float = 0.0, **weights: float) -> Ranker:
    """Scores are a weighted sum of the named signals, and a tree that adds 1 where the first signal is above .5."""
    linear = np.array([weights.get(name, 0.0) for name in SIGNALS], dtype=np.float32)
    split = {"split_feature": 0, "threshold": 0.5, "decision_type": "<=", "left_child": {"leaf_value": 0.0}, "right_child": {"leaf_value": 1.0}}
    arrays = arrays_of({"tree_info": [{"tree_structure": split}]}) | {"linear": linear}
    return Ranker(arrays, flat(), np.full(N_SIGNALS, usual, dtype=np.float32), [(0.9, 1.0)], [])


@pytest.fixture
def table_of(demo_shop: Shop) -> Callable[..., SignalTable]:
    def build(ids: list[str], values: npt.NDArray[np.float32] | None = None) -> SignalTable:
        replies = tuple(demo_shop.replies[0].model_copy(update={"id": one}) for one in ids)
        return SignalTable(replies, (ALWAYS,) * len(ids), np.zeros((len(ids), N_SIGNALS), dtype=np.float32) if values is None else values)

    return build


# ---- confidence --------------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    features=rows_of_features, mean=rows_of_features, weight=rows_of_features, bias=numbers, fall=st.floats(0, 100),
    scores=st.lists(numbers, min_size=1, max_size=48),
)  # fmt: skip
def test_a_confidence_is_a_probability_and_never_rises_along_the_order(features: Any, mean: Any, weight: Any, bias: float, fall: float, scores: list[float]):
    descending = np.array(sorted(scores, reverse=True), dtype=np.float32)

    sure = Confidence(mean, weight, bias, fall).of_all(features, descending)

    assert sure.shape == descending.shape
    assert ((sure >= 0) & (sure <= 1)).all()
    assert (np.diff(sure) <= 0).all()
    assert (np.diff(sure)[np.diff(descending) == 0] == 0).all()  # equal scores, equal confidence


def test_confidence_by_hand():
    """Log-odds of the first: (3 - 1) * .5 + .25 = 1.25; each unit of score below costs 2."""
    one = np.eye(N_FEATURES)[0]
    sure = Confidence(one * 1.0, one * 0.5, bias=0.25, fall=2.0).of_all(one * 3.0, np.array([7.0, 6.5, 5.0], dtype=np.float32))

    assert sure == pytest.approx([1 / (1 + np.exp(-odds)) for odds in (1.25, 1.25 - 1.0, 1.25 - 4.0)])


def test_a_confidence_comes_back_from_its_card():
    rng = np.random.default_rng(1)
    before = Confidence(rng.normal(size=N_FEATURES), rng.normal(size=N_FEATURES), bias=0.7, fall=0.9)

    after = Confidence.of_card(json.loads(json.dumps(before.as_card())))

    features = rng.normal(size=(20, N_FEATURES))
    assert after.of_first(features) == pytest.approx(before.of_first(features), abs=1e-4)
    assert (after.bias, after.fall) == (before.bias, before.fall)


def test_features_of_the_first_by_hand(table_of: Callable[..., SignalTable]):
    """Scores 1, 3, 2: over the second by 1, over the third by 2, over the mean of the head by 1; shares are e^0, e^-1, e^-2 of their sum."""
    values = np.arange(3 * N_SIGNALS, dtype=np.float32).reshape(3, N_SIGNALS)
    scores = np.array([1, 3, 2], dtype=np.float32)

    found = dict(zip(CONFIDENCE_SIGNALS, confidence_features(table_of(["a", "b", "c"], values), [1, 2, 0], scores, english=True), strict=True))

    share = 1 / (1 + np.exp(-1) + np.exp(-2))
    assert [found[name] for name in ("score", "over_second", "over_third", "over_head", "agreement", "english")] == [3.0, 1.0, 2.0, 1.0, 1.0, 1.0]
    assert (found["share"], found["spread"]) == (pytest.approx(share), pytest.approx(np.std([1, 2, 3])))
    assert found["voted"] == values[1, SIGNALS.index("voted")]


def test_the_other_way_to_say_the_same_is_no_rival(table_of: Callable[..., SignalTable]):
    table, scores = table_of(["a", "b", "c"]), np.array([3, 2.9, 1], dtype=np.float32)
    tones = [reply.model_copy(update={"tone": tone}) for reply, tone in zip(table.replies, ("calm", "upset", ""), strict=True)]

    twins = confidence_features(SignalTable(tuple(tones), table.verdicts, table.values), [0, 1, 2], scores, english=False)
    alone = confidence_features(SignalTable((tones[0], tones[2]), table.verdicts[:2], table.values[[0, 2]]), [0, 1], scores[[0, 2]], english=False)

    assert twins.tolist() == alone.tolist()


def test_a_lone_candidate_stands_as_if_others_were_far(table_of: Callable[..., SignalTable]):
    found = dict(zip(CONFIDENCE_SIGNALS, confidence_features(table_of(["a"]), [0], np.array([5.0], dtype=np.float32), english=False), strict=True))

    assert [found[name] for name in ("over_second", "over_third", "over_head", "share", "english")] == [3.0, 3.0, 0.0, 1.0, 0.0]


# ---- thresholds --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "expected"),
    [(0.99, 0.8), (0.9, 0.6), (0.85, 0.4), (0.5, 0.2)],
    ids=["only the surest", "lowest although a higher one is below", "between two", "all"],
)
def test_the_threshold_is_the_lowest_confidence_that_reaches_the_precision(precision: float, expected: float):
    curve = [(0.9, 1.0), (0.8, 1.0), (0.7, 0.88), (0.6, 0.9), (0.4, 0.86), (0.2, 0.7)]

    assert threshold_for(curve, precision) == expected


def test_a_precision_that_is_never_reached_shows_nothing():
    assert threshold_for([(0.9, 0.8), (0.2, 0.5)], 0.81) == 1.0
    assert threshold_for([], 0.5) == 1.0


# ---- the ranker --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["signals", "confidence_signals"])
@pytest.mark.parametrize("change", ["another", "one less", "another order"])
def test_a_ranker_of_other_signals_is_refused(field: str, change: str, models: Models, tmp_path: Path):
    """In another order too: the columns would be taken for one another."""
    bundled = Path(__file__).parents[2] / "suggest" / "models" / "ranker"
    card = json.loads((bundled / CARD).read_text(encoding="utf-8"))
    names = card[field]
    card[field] = {"another": [*names[:-1], "luck"], "one less": names[:-1], "another order": names[::-1]}[change]
    (tmp_path / CARD).write_text(json.dumps(card), encoding="utf-8")
    (tmp_path / TREES).write_bytes((bundled / TREES).read_bytes())

    with pytest.raises(ValueError, match=rf"{tmp_path} was fitted on other signals than this version reads; run scripts\.train_ranker"):
        Ranker.load(tmp_path)


def test_an_unfitted_ranker_prefers_nothing_and_offers_nothing(table_of: Callable[..., SignalTable]):
    ranker, table = Ranker.unfitted(), table_of(["b", "a"], np.random.default_rng(1).normal(size=(2, N_SIGNALS)).astype(np.float32))
    scores = ranker.scores(table.values)

    assert scores.tolist() == [0.0, 0.0]
    assert best_first(table, scores) == [1, 0]
    assert ranker.threshold(0.5) == 1.0
    assert (ranker.confidence(table, [1, 0], scores, english=False) < 1e-12).all()
    assert ranker.scores(np.empty((0, N_SIGNALS), dtype=np.float32)).shape == (0,)


def test_best_first_breaks_ties_by_reply_id(table_of: Callable[..., SignalTable]):
    scores = np.array([1.0, 2.0, 1.0, 2.0, 3.0], dtype=np.float32)

    assert best_first(table_of(["d", "c", "b", "a", "e"]), scores) == [4, 3, 1, 2, 0]


def test_each_signal_has_its_part_in_a_score():
    """The tree jumps by 1 where trigger passes .5; voted counts twice; the rest is nothing to this ranker."""
    row = np.full(N_SIGNALS, 0.25, dtype=np.float32)
    row[SIGNALS.index("trigger")], row[SIGNALS.index("voted")] = 0.75, 1.0

    parts = linear_ranker(usual=0.25, voted=2.0).parts(row)

    assert SIGNALS[0] == "trigger"
    assert tuple(parts) == SIGNALS
    assert parts == dict.fromkeys(SIGNALS, 0.0) | {"trigger": 1.0, "voted": 1.5}


@settings(max_examples=30, deadline=None)
@given(at_usual=st.sets(st.integers(0, N_SIGNALS - 1)), seed=st.integers(0, 999))
def test_a_signal_at_its_usual_value_has_no_part(models: Models, at_usual: set[int], seed: int):
    row = np.random.default_rng(seed).normal(size=N_SIGNALS).astype(np.float32)
    row[list(at_usual)] = usual_of_bundled()[list(at_usual)]

    parts = models.ranker.parts(row)

    assert all(parts[SIGNALS[number]] == 0 for number in at_usual)
    assert len(at_usual) == N_SIGNALS or any(parts.values())


def usual_of_bundled() -> npt.NDArray[np.float32]:
    card = json.loads((Path(__file__).parents[2] / "suggest" / "models" / "ranker" / CARD).read_text(encoding="utf-8"))
    return np.array([card["usual"][name] for name in SIGNALS], dtype=np.float32)


# ---- the demo shop -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chats() -> list[LabelledChat]:
    folder = Path(__file__).parents[2] / "knowledge" / "stores" / "demo"
    found, bad = read_chats(folder / "chats" / "dev.jsonl", root=folder)
    assert bad == []
    return found[:40]


def answers(suggester: Suggester, chats: list[LabelledChat], *, top_k: int = 10) -> Answers:
    return [(chat, suggester.suggest(request_of(chat, top_k=top_k), now=chat.now, request_id=chat.id)) for chat in chats]


def asking_for(precision: float, snapshot: Snapshot, models: Models) -> Suggester:
    store = snapshot.shop.store.model_copy(update={"confidence": ConfidenceTargets(precision=precision, auto_reply_precision=precision)})
    asked = replace(snapshot, shop=replace(snapshot.shop, store=store))
    return Suggester(asked, embedder=models.embedder, reader=models.reader, ranker=models.ranker)


@pytest.fixture(scope="module")
def ten(demo_suggester: Suggester, chats: list[LabelledChat]) -> Answers:
    return answers(demo_suggester, chats)


def test_every_draft_is_at_least_as_sure_as_the_shop_asks(ten: Answers, demo_suggester: Suggester):
    sure = [one.confidence for _, response in ten for one in response.suggestions]

    assert len(sure) > 20
    assert all(round(demo_suggester.threshold, 4) <= one <= 1 for one in sure)
    assert 0 < demo_suggester.threshold < 1


def test_one_questions_drafts_never_get_surer_down_the_list(ten: Answers, demo_suggester: Suggester):
    """Where a second question may be asked, its answer goes before a surer second one to the first (`choices.in_turn`)."""
    asks_one = {chat.id for chat, _ in ten if not demo_suggester.retrieved(chat)[0][0][0].parts}
    lists = [[one.confidence for one in response.suggestions] for chat, response in ten if chat.id in asks_one]

    assert sum(len(one) > 1 for one in lists) > 10
    assert all(one == sorted(one, reverse=True) for one in lists)


@pytest.mark.parametrize("top_k", [1, 3])
def test_asking_for_more_drafts_leaves_the_first_ones_as_they_are(top_k: int, ten: Answers, demo_suggester: Suggester, chats: list[LabelledChat]):
    fewer = answers(demo_suggester, chats, top_k=top_k)

    for (_, few), (_, many) in zip(fewer, ten, strict=True):
        assert [one.model_dump() for one in few.suggestions] == [one.model_dump() for one in many.suggestions[:top_k]]


def test_a_shop_that_asks_for_more_precision_shows_no_more(chats: list[LabelledChat], demo_snapshot: Snapshot, models: Models):
    strict, lax = (asking_for(precision, demo_snapshot, models) for precision in (0.99, 0.6))
    shown = [[{one.reply_id for one in response.suggestions} for _, response in answers(one, chats)] for one in (strict, lax)]

    assert strict.threshold > lax.threshold
    assert all(len(few) <= len(many) for few, many in zip(*shown, strict=True))
    assert sum(map(len, shown[0])) < sum(map(len, shown[1]))
