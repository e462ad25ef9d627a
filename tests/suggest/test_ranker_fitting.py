"""A ranker fitted on made-up chats: the same bytes each time, what decides is found, and what is written is read back."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("sklearn")

from knowledge.conditions import ALWAYS
from knowledge.records import ProvenReply
from knowledge.shop import Shop
from suggest.fitting import FOLDS, Example, Fitted, Order, examples, figures, fit, fit_order, precision_curve
from suggest.ranking import CARD, TREES, Ranker, best_first, threshold_for
from suggest.signals import SIGNALS, SignalTable

N_CANDIDATES = 6
DECIDES = SIGNALS.index("needs_peak")  # any one that is not a vote
VOTES = [SIGNALS.index("voted"), SIGNALS.index("voted_from_best")]
Written = dict[str, bytes]


@pytest.fixture(scope="module")
def reply(demo_shop: Shop) -> ProvenReply:
    return demo_shop.replies[0]


def made_up(reply: ProvenReply, n: int, *, seed: int) -> list[Example]:
    """Chats in which one signal decides: its highest is the best reply, its second an acceptable one; for one in five it is none of them, and no reply fits."""
    rng, found = np.random.default_rng(seed), []
    replies = tuple(reply.model_copy(update={"id": f"reply-{number}"}) for number in range(N_CANDIDATES))
    for number in range(n):
        values = rng.normal(size=(N_CANDIDATES, len(SIGNALS))).astype(np.float32)
        answerable = number % 5 > 0
        ranks = np.argsort(-values[:, DECIDES])
        grades = np.zeros(N_CANDIDATES, dtype=np.int64)
        if answerable:
            grades[ranks[0]], grades[ranks[1]] = 2, 1
            values[ranks[0], DECIDES] += 0.5
        unread = np.ones(N_CANDIDATES, dtype=np.bool_)
        found.append(Example(f"tiny/{seed}-{number}", False, answerable, SignalTable(replies, (ALWAYS,) * N_CANDIDATES, values), grades, unread))
    return found


@pytest.fixture(scope="module")
def chats(reply: ProvenReply) -> list[Example]:
    return made_up(reply, 80, seed=1)


@pytest.fixture(scope="module")
def fitted(chats: list[Example]) -> Fitted:
    return fit(chats)


def written(fitted: Fitted, folder: Path) -> Written:
    fitted.write(folder, provenance="made up")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# ---- fitting -----------------------------------------------------------------------------------------------------------------


def test_fitting_twice_gives_the_same_bytes(chats: list[Example], fitted: Fitted, tmp_path: Path):
    first, second = written(fitted, tmp_path / "first"), written(fit(chats), tmp_path / "second")

    assert set(first) == {CARD, TREES}
    assert first == second


def test_other_chats_give_another_ranker(reply: ProvenReply, fitted: Fitted):
    other = fit_order(made_up(reply, 40, seed=2))

    assert other.linear.tobytes() != fitted.order.linear.tobytes()


def test_the_right_reply_comes_first_in_chats_never_seen(reply: ProvenReply, fitted: Fitted):
    """Of six candidates one in six is right by chance."""
    unseen = [one for one in made_up(reply, 100, seed=3) if one.answerable]

    first = [one.grades[best_first(one.table, fitted.order.scores(one.table.values))[0]] for one in unseen]

    assert np.mean(np.array(first) == 2) > 0.85
    assert np.mean(np.array(first) > 0) > 0.95


def test_the_linear_part_leans_on_the_signal_that_decides(fitted: Fitted):
    assert fitted.order.linear.shape == (len(SIGNALS),)
    assert int(np.abs(fitted.order.linear).argmax()) == DECIDES
    assert fitted.order.linear[DECIDES] > 0


def test_chats_without_a_right_reply_teach_no_order(chats: list[Example]):
    answerable = [one for one in chats if one.answerable]

    with_all, without = fit_order(chats), fit_order(answerable)

    assert len(answerable) < len(chats)
    assert with_all.linear.tobytes() == without.linear.tobytes()
    assert {name: values.tobytes() for name, values in with_all.trees.items()} == {name: values.tobytes() for name, values in without.trees.items()}


def test_a_chat_is_accepted_when_its_first_reply_has_a_grade(chats: list[Example], fitted: Fitted):
    """The unanswerable ones never are, and every chat is counted once, whatever its fold."""
    assert fitted.sure.shape == fitted.accepted.shape == (len(chats),)
    assert 0.5 < fitted.accepted.mean() <= sum(one.answerable for one in chats) / len(chats)
    assert ((fitted.sure > 0) & (fitted.sure < 1)).all()
    assert fitted.sure[fitted.accepted].mean() > fitted.sure[~fitted.accepted].mean()


@pytest.mark.parametrize(("shops", "left_out"), [(("a", "b", "c"), [{"a"}, {"b"}, {"c"}]), (("a", "b"), [set()] * FOLDS)])
def test_of_three_shops_and_more_the_confidence_is_learnt_of_each_by_the_others(
    reply: ProvenReply, shops: tuple[str, ...], left_out: list[set[str]], monkeypatch: pytest.MonkeyPatch
):
    chats = [replace(one, conversation=f"{shop}/{n}") for shop in shops for n, one in enumerate(made_up(reply, 40, seed=3))]
    taught: list[set[str]] = []

    def watched(examples: Sequence[Example]) -> Order:
        taught.append({one.shop for one in examples})
        return fit_order(examples)

    monkeypatch.setattr("suggest.fitting.fit_order", watched)
    fitted = fit(chats)

    assert [set(shops) - one for one in taught[1:]] == left_out
    assert len(fitted.accepted) == len(chats)


def test_the_usual_value_of_a_signal_is_its_mean(chats: list[Example], fitted: Fitted):
    assert fitted.usual == pytest.approx(np.mean([row for one in chats for row in one.table.values], axis=0), abs=1e-5)


# ---- examples ----------------------------------------------------------------------------------------------------------------


def test_without_votes_exactly_the_votes_are_nothing(chats: list[Example]):
    before = chats[0].table.values.copy()

    blind = chats[0].without_votes()

    others = [number for number in range(len(SIGNALS)) if number not in VOTES]
    assert [name for name in SIGNALS if "vote" in name] == [SIGNALS[number] for number in VOTES]
    assert not blind.table.values[:, VOTES].any()
    assert (blind.table.values[:, others] == before[:, others]).all()
    assert (chats[0].table.values == before).all()  # the chat itself keeps its votes
    assert (blind.conversation, blind.answerable, blind.table.replies) == (chats[0].conversation, chats[0].answerable, chats[0].table.replies)
    assert blind.grades is chats[0].grades


def test_no_chats_give_no_examples():
    heard: list[int] = []

    assert examples([], _NeverAsked(), on_chat=lambda: heard.append(1)) == []  # type: ignore[arg-type]
    assert heard == []


class _NeverAsked:
    """A suggester of which only the shop's language may be read."""

    class snapshot:
        class shop:
            class store:
                id, language = "tiny", "zh-CN"


# ---- the curve ---------------------------------------------------------------------------------------------------------------


def test_the_precision_curve_by_hand():
    """By falling confidence: right, right, wrong, right, wrong; mean confidences .9, .85, .767, .7, .6."""
    curve = precision_curve(np.array([0.5, 0.9, 0.2, 0.8, 0.6]), np.array([True, True, False, True, False]))

    assert curve == [(0.9, 0.9), (0.8, 0.85), (0.6, 0.6666), (0.5, 0.7), (0.2, 0.6)]
    assert [threshold_for(curve, precision) for precision in (0.95, 0.85, 0.7, 0.6)] == [1.0, 0.8, 0.5, 0.2]


def test_luck_alone_lowers_no_threshold():
    """All were accepted, though the confidence promised one in five."""
    assert threshold_for(precision_curve(np.full(10, 0.2), np.ones(10, dtype=np.bool_)), 0.9) == 1.0


def test_drafts_of_one_confidence_are_shown_together_so_they_are_counted_together():
    curve = precision_curve(np.array([0.9, 0.5, 0.50004, 0.5, 0.5]), np.array([True, False, True, False, False]))

    assert curve == [(0.9, 0.9), (0.5, 0.4)]
    assert threshold_for(curve, 0.9) == 0.9


def test_a_threshold_lets_the_draft_pass_that_made_it():
    sure = np.array([0.90006, 0.2])

    assert threshold_for(precision_curve(sure, np.array([True, False])), 0.9) <= sure[0]


def test_a_long_curve_keeps_its_ends_and_every_point_is_true():
    rng = np.random.default_rng(5)
    sure = rng.random(1_000)
    accepted = rng.random(1_000) < sure

    curve = precision_curve(sure, accepted)

    assert len(curve) == 200
    assert [one for one, _ in curve] == sorted((one for one, _ in curve), reverse=True)
    assert curve[-1][0] == math.floor(sure.min() * 10_000) / 10_000
    assert curve[-1][1] == math.floor(min(accepted.mean(), sure.mean()) * 10_000) / 10_000
    for confidence, reached in curve[20:]:
        here = sure >= confidence
        assert reached == pytest.approx(min(accepted[here].mean(), sure[here].mean()), abs=0.03)  # the confidence is rounded


def test_the_key_figures_are_of_chats_held_out(fitted: Fitted):
    found = figures(fitted)

    assert found["accepted"] == round(float(fitted.accepted.mean()), 4)
    for name, precision, of in (("threshold_90", 0.9, np.ones_like(fitted.plain)), ("unread_95", 0.95, fitted.plain)):
        shown = of & (fitted.sure >= found[name] - 5e-5)
        assert not shown.any() or fitted.accepted[shown].mean() >= precision - 0.02


# ---- files -------------------------------------------------------------------------------------------------------------------


def test_a_ranker_written_and_read_back_is_the_same(fitted: Fitted, chats: list[Example], tmp_path: Path):
    ranker = fitted.write(tmp_path / "deep" / "ranker", provenance="made up")
    again = Ranker.load(tmp_path / "deep" / "ranker")

    curve = precision_curve(fitted.sure, fitted.accepted)
    of_plain = precision_curve(fitted.sure[fitted.plain], fitted.accepted[fitted.plain])
    for one in chats[:20]:
        scores, order = fitted.order.scores(one.table.values), best_first(one.table, fitted.order.scores(one.table.values))
        assert ranker.scores(one.table.values).tobytes() == again.scores(one.table.values).tobytes() == scores.tobytes()
        sure = ranker.confidence(one.table, order, scores, english=False)
        assert sure.tobytes() == again.confidence(one.table, order, scores, english=False).tobytes()
    for precision in (0.6, 0.8, 0.9, 0.99):
        assert ranker.threshold(precision) == again.threshold(precision) == threshold_for(curve, precision)
        assert ranker.unread_threshold(precision) == again.unread_threshold(precision) == threshold_for(of_plain, precision)


def test_the_card_says_what_it_was_fitted_on(fitted: Fitted, tmp_path: Path):
    fitted.write(tmp_path, provenance="made up chats")
    card = json.loads((tmp_path / CARD).read_text(encoding="utf-8"))

    assert card["provenance"] == "made up chats"
    assert tuple(card["signals"]) == SIGNALS
    assert card["usual"] == pytest.approx(dict(zip(SIGNALS, fitted.usual.tolist(), strict=True)), abs=1e-6)


def test_no_name_of_a_chat_is_written(fitted: Fitted, tmp_path: Path):
    assert all(b"tiny/" not in content for content in written(fitted, tmp_path / "ranker").values())


def test_the_written_confidence_is_the_fitted_one(fitted: Fitted, chats: list[Example], tmp_path: Path):
    """Rounded to six decimals: the card is for reading too."""
    confidence: Callable[..., float] = fitted.write(tmp_path, provenance="made up").confidence
    for one in chats[:20]:
        scores = fitted.order.scores(one.table.values)
        order = best_first(one.table, scores)
        sure = confidence(one.table, order, scores, english=False)
        assert (np.diff(sure) <= 0).all()
        assert ((sure >= 0) & (sure <= 1)).all()
