import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from indexes.classifier import TextClassifier
from knowledge.conversation import readings
from knowledge.order_context import Turn
from suggest.history import HistoryGate, fit_history_gate
from tests.fakes import DIMENSION, FakeEmbedder, write_classifier

Sample = tuple[str, tuple[Turn, ...], str]


def asked(text: str) -> Turn:
    return Turn(role="customer", text=text)


def said(text: str) -> Turn:
    return Turn(role="agent", text=text)


# ---- what is read


def test_without_history_the_message_is_read_alone():
    assert ["怎么退"] == readings("你好，怎么退", ())


def test_with_history_four_readings_stand_in_one_order():
    history = [asked("一问"), said("一答"), asked("二问"), said("二答"), said("又答")]

    assert ["那呢", "二问 那呢", "又答 那呢", "一答 二问 二答 又答 那呢"] == readings("那呢", history)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([said("在的")], ["那呢", "那呢", "在的 那呢", "在的 那呢"], id="the customer has said nothing yet"),
        pytest.param([asked("退款")], ["那呢", "退款 那呢", "那呢", "退款 那呢"], id="the agent has said nothing yet"),
    ],
)
def test_a_speaker_who_said_nothing_adds_nothing(history: list[Turn], expected: list[str]):
    assert expected == readings("那呢", history)


def test_turns_are_read_as_the_customers_own_words():
    history = [asked("您好，訂單號：20261109001 運費誰出"), said("亲，我们出")]

    assert ["那呢", "运费谁出 那呢", "我们出 那呢", "运费谁出 我们出 那呢"] == readings("那呢，谢谢", history)


# ---- the gate

UNSURE, SURE_OF_FIRST, SURE_OF_SECOND = [0.5, 0.5], [0.9, 0.1], [0.1, 0.9]
EVEN = HistoryGate(((0.0,) * 7,) * 4)


def needs_of(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_one_reading_has_all_the_share():
    assert [1.0] == EVEN.shares("那呢", needs_of(UNSURE)).tolist()


def test_a_gate_of_zero_weights_shares_evenly():
    assert [0.25] * 4 == EVEN.shares("那呢", needs_of(UNSURE, SURE_OF_FIRST, SURE_OF_SECOND, UNSURE)).tolist()


def test_shares_are_the_softmax_of_the_weights_on_the_features():
    """Features: one, e^(-length/8), whether it opens like a follow-up, the surest need of each of the four readings."""
    weights = np.arange(28).reshape(4, 7) / 10
    gate = HistoryGate(tuple(tuple(row) for row in weights.tolist()))
    features = np.array([1, np.exp(-2 / 8), 1, 0.5, 0.9, 0.9, 0.5])

    shares = gate.shares("那呢", needs_of(UNSURE, SURE_OF_FIRST, SURE_OF_SECOND, UNSURE))

    powers = np.exp(weights @ features)
    assert shares.tolist() == pytest.approx((powers / powers.sum()).tolist(), rel=1e-5)


@pytest.mark.parametrize(
    ("text", "follows"), [("那邮费呢", True), ("还是这个", True), ("what about shoes", True), ("soap dish", False), ("我的那个", False), ("android", False)]
)
def test_a_follow_up_is_known_by_how_it_opens(text: str, follows: bool):
    opens = HistoryGate(((0.0,) * 7, (0.0, 0.0, 50.0, 0.0, 0.0, 0.0, 0.0), (0.0,) * 7, (0.0,) * 7))

    assert follows is bool(opens.shares(text, needs_of(UNSURE, UNSURE, UNSURE, UNSURE))[1] > 0.9)


def test_a_gate_is_read_as_it_was_written(tmp_path: Path):
    gate = HistoryGate(((0.25, -1.5), (0.0, 3.0)))
    gate.write(tmp_path / "gate.json")

    assert gate == HistoryGate.load(tmp_path / "gate.json")
    assert {"weights": [[0.25, -1.5], [0.0, 3.0]]} == json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))


# ---- fitting it

SHORT = ("那呢", "多久", "可以吗", "要多少", "然后呢", "怎么弄", "好了没", "几天")
LONG = (
    "我上周在你们这里买的东西想咨询一下{}的事情应该怎么处理",
    "请您帮我仔细查一下{}这边为什么到现在还没有任何结果",
    "昨天晚上已经联系过一次客服了说的就是{}麻烦今天给个准话",
    "不好意思打扰了想知道你们店铺关于{}有没有什么具体的规定",
)
NEEDS = {"票": "invoice/lost", "退": "return.no_reason/how"}


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    """Hears one character of each need, and nothing else."""
    folder = tmp_path_factory.mktemp("classifiers") / "needs"
    ngrams = {zlib.crc32(char.encode()): [100 * (need == label) for label in NEEDS.values()] for char, need in NEEDS.items()}
    write_classifier(folder, labels=list(NEEDS.values()), ngrams=ngrams, scale=0.04, dense=np.zeros((DIMENSION, 2)), bias=[0, 0])
    return TextClassifier(folder, FakeEmbedder())


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """A short turn means what was spoken of; a long one what it says itself, whatever was spoken of before."""
    found: list[Sample] = []
    for char, other in (("票", "退"), ("退", "票")):
        found += [(text, (asked(char), said("稍等")), NEEDS[char]) for text in SHORT]
        found += [(text.format(char), (asked(other), said(other)), NEEDS[char]) for text in LONG for _ in range(2)]
    return found


@pytest.fixture(scope="module")
def fitted(hearing: TextClassifier, samples: list[Sample]) -> HistoryGate:
    return fit_history_gate(hearing, samples)


def shares_of(gate: HistoryGate, hearing: TextClassifier, message: str, history: tuple[Turn, ...]) -> np.ndarray:
    texts = readings(message, history)
    return gate.shares(texts[0], hearing.probabilities(texts))


@pytest.mark.parametrize("message", ["行不行", "为啥"])
def test_a_short_turn_leans_on_history(fitted: HistoryGate, hearing: TextClassifier, message: str):
    shares = shares_of(fitted, hearing, message, (asked("票"), said("稍等")))

    assert shares[0] < 0.2
    assert shares.sum() == pytest.approx(1, abs=1e-6)


def test_a_long_message_stands_alone(fitted: HistoryGate, hearing: TextClassifier):
    shares = shares_of(fitted, hearing, "你们家的东西我买过很多次了这次想问的是退的具体要求", (asked("票"), said("票")))

    assert shares[0] > 0.8
    assert shares.sum() == pytest.approx(1, abs=1e-6)


def likelihood(gate: HistoryGate, hearing: TextClassifier, samples: list[Sample]) -> float:
    total = 0.0
    for message, history, need in samples:
        right = hearing.probabilities(readings(message, history))[:, hearing.labels.index(need)]
        total += float(np.log(shares_of(gate, hearing, message, history) @ right))
    return total / len(samples)


def test_fitting_explains_the_samples_better_than_any_single_reading(fitted: HistoryGate, hearing: TextClassifier, samples: list[Sample]):
    one_reading = [HistoryGate(tuple((50.0 * (row == chosen), *(0.0,) * 6) for row in range(4))) for chosen in range(4)]
    others = [likelihood(gate, hearing, samples) for gate in (EVEN, *one_reading)]

    assert likelihood(fitted, hearing, samples) > max(others) + 0.1


def test_the_same_samples_fit_the_same_gate(fitted: HistoryGate, hearing: TextClassifier, samples: list[Sample]):
    assert fitted == fit_history_gate(hearing, samples)
    assert (4, 7) == np.array(fitted.weights).shape
