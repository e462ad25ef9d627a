"""Fits, on labelled chats, what turns hearing into understanding: what is meant (`meaning`) and how the customer feels (`moods`).

Each chat is heard once by the bundled classifiers; both models learn from that. The service only reads the results, with NumPy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from knowledge.chats import LabelledChat
from knowledge.facts import compute_facts
from knowledge.shop import Shop
from suggest.meaning import HEARD_FLOOR, MeaningModel, MeaningWeights, mood_features, scenario_membership, scenarios_of
from suggest.moods import MOODS, MoodModel, MoodWeights, mood_inputs
from suggest.order_state import order_signs
from suggest.understanding import HeardMessage, MessageReader

# Chosen leave-one-shop-out over the three Chinese shops, 2026-11-22 (DESIGN D9): penalties are for a thousand chats and fall with more of them.
_SIGNS_PENALTY, _FAMILY_PENALTY, _NEEDS_PENALTY = 0.7, 0.3, 0.2
_SECOND_SCENARIO = 0.6  # how much of a label's second scenario counts beside its first
_STEPS = 200
_MOOD_REGULARISATION = 0.3
_FEWEST_CHATS = 20
Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeardChat:
    """One labelled chat as the classifiers hear it: everything that `meaning` and `moods` learn from."""

    heard: HeardMessage
    chat: LabelledChat
    signs: tuple[str, ...]


def heard_chats(chats: Iterable[LabelledChat], shop: Shop, reader: MessageReader) -> list[HeardChat]:
    """Gives what each chat sounds like and the signs of its order."""
    catalogue = shop.catalogue()
    found = []
    for chat in chats:
        facts = compute_facts(order=chat.order, customer=None, agent=None, now=chat.now, store=shop.store, catalogue=catalogue)
        found.append(HeardChat(reader.hear(chat.message, chat.history), chat, order_signs(facts)))
    return found


def refitted(reader: MessageReader, chats: Sequence[HeardChat]) -> MessageReader:
    """Gives the reader with moods and meanings learnt from these chats; what they are too few for stays as heard."""
    moods = fit_moods(chats)
    return reader.understanding_by(meaning=fit_meaning(chats, reader, moods), moods=moods)


def fit_moods(chats: Sequence[HeardChat]) -> MoodModel:
    """Fits on chats that have a mood; rare moods weigh more, by the root of their rarity. Too few chats, or a mood that is missing: as heard."""
    known = [one for one in chats if one.chat.labels.emotion]
    labels = [str(one.chat.labels.emotion) for one in known]
    if len(known) < _FEWEST_CHATS or set(labels) != set(MOODS):
        return MoodModel.as_heard()
    names = tuple(sorted(known[0].heard.scenarios))
    inputs = np.array([_mood_row(one, names) for one in known])
    weight = {mood: (len(labels) / len(MOODS) / labels.count(mood)) ** 0.5 for mood in MOODS}
    model = LogisticRegression(C=_MOOD_REGULARISATION, max_iter=5_000, class_weight=weight).fit(inputs, labels)
    return MoodModel(MoodWeights(names, tuple(_rounded(row) for row in model.coef_), _rounded(model.intercept_)))


def fit_meaning(chats: Sequence[HeardChat], reader: MessageReader, moods: MoodModel) -> MeaningModel:
    """Fits by L-BFGS on chats that have a scenario, answerable or not; none of them: as heard."""
    known = [one for one in chats if one.chat.labels.scenarios]
    scenarios = scenarios_of(reader.needs)
    known = [one for one in known if set(one.chat.labels.scenarios) <= set(scenarios)]
    if len(known) < _FEWEST_CHATS:
        return MeaningModel.as_heard(reader.needs)
    signs = sorted({sign for one in known for sign in one.signs})
    weights = _fitted(_Inputs.of(known, scenarios, signs, reader.needs.labels, moods), [name.split(".")[0] for name in scenarios])
    return MeaningModel(scenarios, signs, reader.needs.labels, weights)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the weights are fitted to, a row a chat."""

    heard: Matrix  # [n, n_scenarios], logarithms
    needs: Matrix  # [n, n_needs], square roots
    signs: Matrix  # [n, n_signs + n_moods]
    n_signs: int
    target: Matrix  # [n, n_scenarios], rows sum to 1

    @classmethod
    def of(cls, chats: Sequence[HeardChat], scenarios: Sequence[str], signs: Sequence[str], labels: Sequence[str], moods: MoodModel) -> "_Inputs":
        needs = np.array([one.heard.mixed_needs for one in chats], dtype=np.float64)
        own_signs = np.array([[float(sign in one.signs) for sign in signs] for one in chats]).reshape(len(chats), len(signs))
        of_mood = np.array([mood_features(_felt(one, moods), one.heard.threat) for one in chats], dtype=np.float64)
        return cls(
            heard=np.log(needs @ scenario_membership(labels, scenarios) + HEARD_FLOOR),
            needs=np.sqrt(needs),
            signs=np.concatenate([own_signs, of_mood], axis=1),
            n_signs=len(signs),
            target=np.array([_target(one.chat, scenarios) for one in chats]),
        )


def _fitted(inputs: _Inputs, families: Sequence[str]) -> MeaningWeights:
    """A sign speaks to each scenario and, with a lighter penalty, to its whole family: few chats tell what a booked installation makes people ask."""
    n, n_scenarios = inputs.target.shape
    names = sorted(set(families))
    member = np.array([[float(family == name) for family in families] for name in names])
    n_signs, n_needs = inputs.signs.shape[1], inputs.needs.shape[1]
    shapes = [(1, 1), (1, n_scenarios), (n_signs, n_scenarios), (n_signs, len(names)), (n_needs, n_scenarios)]  # hearing, bias, own, shared, needs
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    penalties = (0.0, _SIGNS_PENALTY, _SIGNS_PENALTY, _SIGNS_PENALTY * _FAMILY_PENALTY, _NEEDS_PENALTY)

    def parts(flat: Vector) -> list[Matrix]:
        return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]

    def loss(flat: Vector) -> tuple[float, Vector]:
        hearing, bias, own, shared, needs = every = parts(flat)
        scores = hearing * inputs.heard + bias + inputs.signs @ (own + shared @ member) + inputs.needs @ needs
        logs = scores - scores.max(axis=1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
        found = -(inputs.target * logs).sum() + sum(penalty * float((part**2).sum()) for penalty, part in zip(penalties, every, strict=True))
        slope = np.exp(logs) - inputs.target
        by_sign = inputs.signs.T @ slope
        slopes = [np.array([[(slope * inputs.heard).sum()]]), slope.sum(axis=0, keepdims=True), by_sign, by_sign @ member.T, inputs.needs.T @ slope]
        every_slope = [one + 2 * penalty * part for one, penalty, part in zip(slopes, penalties, every, strict=True)]
        return float(found) / n, np.concatenate([one.ravel() for one in every_slope]) / n

    start = np.zeros(int(ends[-1]))
    start[0] = 1.0
    hearing, bias, own, shared, needs = parts(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "maxcor": 20}).x)
    signs = own + shared @ member
    arrays = (bias[0], signs[: inputs.n_signs], signs[inputs.n_signs :], needs)
    return MeaningWeights(round(float(hearing[0, 0]), 6), *(np.ascontiguousarray(part, dtype=np.float32) for part in arrays))


def _felt(one: HeardChat, moods: MoodModel) -> Mapping[str, float]:
    heard = one.heard
    return moods.felt(heard.emotions, message=one.chat.message, words=heard.words, scenarios=heard.scenarios, threat=heard.threat)


def _target(chat: LabelledChat, scenarios: Sequence[str]) -> npt.NDArray[np.float64]:
    """The share of each scenario in what the chat is about; the first named counts most."""
    shares = np.zeros(len(scenarios))
    for place, name in enumerate(chat.labels.scenarios):
        shares[scenarios.index(name)] = _SECOND_SCENARIO if place else 1.0
    return np.asarray(shares / shares.sum())


def _mood_row(one: HeardChat, names: Sequence[str]) -> npt.NDArray[np.float64]:
    heard = one.heard
    return mood_inputs(
        heard.emotions, message=one.chat.message, words=heard.words, scenarios=[heard.scenarios.get(name, 0.0) for name in names], threat=heard.threat
    )


def _rounded(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values)
