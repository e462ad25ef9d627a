import zlib
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest

from indexes.classifier import TextClassifier, hashed_ngrams, load_classifier, softmax
from knowledge.scenarios import SCENARIOS
from tests.fakes import DIMENSION, FakeEmbedder, write_classifier

# fmt: off
MESSAGES = [
    ("快递三天没动了", ("logistics.delay", "logistics.track")), ("物流好几天没更新了是不是丢了", ("logistics.",)),
    ("发票抬头写错了", ("invoice",)), ("能开专票吗", ("invoice",)), ("發票什麼時候開", ("invoice",)),
    ("where is my parcel", ("logistics.track",)), ("i want to cancel my order", ("order.cancel",)),
    ("地址填错了帮我改一下", ("order.modify",)), ("怎么还不发货", ("order.expedite",)), ("收到是碎的", ("logistics.damage",)),
    ("显示签收了但我没收到", ("logistics.lost",)), ("少发了一件", ("logistics.wrong_item",)), ("退款多久到账", ("refund.",)),
    ("会掉色吗", ("product.care", "product.quality")), ("买完就降价了，补差价", ("promo.price_protection",)),
    ("谢谢", ("chat.closing",)), ("在吗", ("chat.greeting", "chat.wait")),
]
THREATS = ["不处理我就打12315", "再不退钱我就去消协投诉你们", "I will report you to the consumer bureau"]
NO_THREATS = ["快递三天没动了", "发票抬头写错了", "请问什么时候发货", "where is my parcel", "谢谢"]
# fmt: on


@pytest.fixture(scope="module")
def needs() -> TextClassifier:
    return load_classifier("needs")


@pytest.fixture(scope="module")
def threats() -> TextClassifier:
    return load_classifier("threat")


def likeliest(classifier: TextClassifier, text: str) -> str:
    return classifier.labels[int(classifier.probabilities([text])[0].argmax())]


@pytest.mark.parametrize("name", ["needs", "emotion", "threat"])
def test_probabilities_of_every_bundled_classifier_sum_to_one(name: str):
    classifier = load_classifier(name)
    texts = [text for text, _ in MESSAGES] + ["", "😀", "很长" * 2_000]

    rows = classifier.probabilities(texts)

    assert rows.shape == (len(texts), len(classifier.labels))
    assert rows.min() >= 0
    assert rows.sum(axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)


def test_labels_are_those_the_pipeline_reads(needs: TextClassifier, threats: TextClassifier):
    assert set(load_classifier("emotion").labels) == {"calm", "anxious", "upset", "angry"}
    assert set(threats.labels) == {"none", "threat"}
    assert {label.split("/")[0] for label in needs.labels} <= set(SCENARIOS)


@pytest.mark.parametrize(("text", "prefixes"), MESSAGES, ids=[text for text, _ in MESSAGES])
def test_a_known_message_is_of_its_scenario(needs: TextClassifier, text: str, prefixes: tuple[str, ...]):
    assert likeliest(needs, text).startswith(prefixes)


@pytest.mark.parametrize("text", THREATS)
def test_a_threat_is_heard(threats: TextClassifier, text: str):
    assert threats.probabilities([text])[0][threats.labels.index("threat")] > 0.5


@pytest.mark.parametrize("text", NO_THREATS)
def test_a_plain_question_is_no_threat(threats: TextClassifier, text: str):
    assert threats.probabilities([text])[0][threats.labels.index("threat")] < 0.5


def test_a_text_has_the_same_probabilities_alone_and_among_others(needs: TextClassifier):
    texts = [text for text, _ in MESSAGES]
    together = needs.probabilities(texts)

    for row, text in enumerate(texts):
        assert needs.probabilities([text])[0] == pytest.approx(together[row], abs=1e-5)


def test_no_texts_give_no_rows(needs: TextClassifier):
    assert needs.probabilities([]).shape == (0, len(needs.labels))


def bucket(gram: str, n_buckets: int) -> int:
    return zlib.crc32(gram.encode()) % n_buckets


def test_buckets_are_the_crc32_of_every_gram_once():
    grams = ["^", "退", "货", "$", "^退", "退货", "货$", "^退货", "退货$"]

    assert hashed_ngrams("退货", n_buckets=8_192) == sorted(bucket(gram, 8_192) for gram in grams)


def test_buckets_never_move():
    """Weights on disk are indexed by them: written out, so that a change of hash, marks or lengths fails here."""
    assert hashed_ngrams("退货", n_buckets=8_192) == FROZEN_BUCKETS


FROZEN_BUCKETS = [1533, 2324, 2390, 2908, 3832, 4527, 4990, 6089, 7576]


@pytest.mark.parametrize("same", ["退貨", " 退货！", "退货😀", "\u200b退货"])
def test_buckets_do_not_see_writing_and_punctuation(same: str):
    assert hashed_ngrams(same, n_buckets=8_192) == hashed_ngrams("退货", n_buckets=8_192)


def test_an_empty_text_still_has_its_marks():
    assert hashed_ngrams("", n_buckets=8_192) == sorted(bucket(gram, 8_192) for gram in ("^", "$", "^$"))


def test_buckets_are_within_the_table():
    assert set(hashed_ngrams("快递三天没动了" * 50, n_buckets=7)) <= set(range(7))


def test_probabilities_are_the_softmax_of_the_tables(tmp_path: Path):
    """One gram bucket, so the n-gram half is `ngrams[0] · 1/√1`; the dense half sees only the text's own direction."""
    direction = FakeEmbedder().encode_query(["退货"])[0]
    write_classifier(
        tmp_path / "two",
        labels=["invoice", "return"],
        ngrams=[[0.25, -0.25]],
        dense=np.stack([0 * direction, 2 * direction], axis=1),
        bias=[0.5, 0.0],
        temperature=2.0,
    )
    classifier = TextClassifier(tmp_path / "two", FakeEmbedder())

    [row] = classifier.probabilities(["退货"])

    invoice, returned = exp((0.25 + 0 + 0.5) / 2), exp((-0.25 + 2 + 0) / 2)
    assert row.tolist() == pytest.approx([invoice / (invoice + returned), returned / (invoice + returned)], rel=1e-6)


def test_ngrams_weigh_by_the_root_of_their_number(tmp_path: Path):
    grams = hashed_ngrams("退货", n_buckets=8_192)
    table = np.zeros((8_192, 2))
    table[grams, 0] = 1.0
    write_classifier(tmp_path / "two", labels=["a", "b"], ngrams=table, dense=np.zeros((DIMENSION, 2)), bias=[0, 0])

    [row] = TextClassifier(tmp_path / "two", FakeEmbedder()).probabilities(["退货"])

    assert log(row[0] / row[1]) == pytest.approx(len(grams) / sqrt(len(grams)), rel=1e-5)


def test_softmax_survives_large_logits():
    rows = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], dtype=np.float32))

    assert rows.tolist() == [[1.0, 0.0], [0.5, 0.5]]
