import zlib
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest

from indexes.classifier import TextClassifier, known_rows, label_groups, load_classifier, ngram_codes, softmax
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


def codes_of(*grams: str) -> list[int]:
    return sorted(zlib.crc32(gram.encode()) for gram in grams)


def test_codes_are_the_crc32_of_every_character_and_pair_once():
    assert ngram_codes("退货退") == codes_of("^", "退", "货", "$", "^退", "退货", "货退", "退$")


def test_latin_letters_are_read_as_words_pairs_of_words_and_four_characters():
    words = ("my", "refund", "my refund")
    fours = (" my ", " ref", "refu", "efun", "fund", "und ")

    assert ngram_codes("My refund!") == codes_of("^", "$", " ", *words, *fours)


def test_words_stand_beside_characters_in_a_mixed_text():
    assert ngram_codes("wifi坏了") == codes_of("^", "坏", "了", "$", "坏了", "了$", "wifi", " wif", "ifi ")


def test_codes_never_move():
    """Weights on disk are found by them: written out, so that a change of hash, marks or lengths fails here."""
    assert ngram_codes("退货") == FROZEN_CODES


FROZEN_CODES = [765275896, 1590793086, 2057197513, 2403936598, 2427127293, 3017552303, 3993045852]


@pytest.mark.parametrize("same", ["退貨", " 退货！", "退货😀", "\u200b退货"])
def test_codes_do_not_see_writing_and_punctuation(same: str):
    assert ngram_codes(same) == ngram_codes("退货")


def test_an_empty_text_still_has_its_marks():
    assert ngram_codes("") == codes_of("^", "$", "^$")


def rows_by_hand(codes: list[int], wanted: list[int]) -> list[int]:
    return [codes.index(code) for code in wanted if code in codes]


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        pytest.param([3, 7, 9], [7, 3], id="in the order asked"),
        pytest.param([3, 7, 9], [9, 7, 9, 9], id="asked twice, given twice"),
        pytest.param([3, 7, 9], [0, 4, 8, 10, 2**32 - 1], id="unknown below, between and above"),
        pytest.param([0, 2**32 - 1], [2**32 - 1, 0], id="both ends of the range"),
        pytest.param([3, 7, 9], [], id="nothing asked"),
        pytest.param([], [5, 0], id="nothing known"),
        pytest.param([], [], id="nothing at all"),
    ],
)
def test_known_rows_equal_those_found_by_hand(codes: list[int], wanted: list[int]):
    assert known_rows(np.array(codes, dtype=np.uint32), wanted).tolist() == rows_by_hand(codes, wanted)


@pytest.mark.parametrize("seed", range(50))
def test_known_rows_equal_brute_force(seed: int):
    rng = np.random.default_rng(seed)
    codes = np.unique(rng.integers(0, 60, size=rng.integers(0, 40)).astype(np.uint32))
    wanted = rng.integers(0, 60, size=rng.integers(0, 40)).tolist()

    assert known_rows(codes, wanted).tolist() == rows_by_hand(codes.tolist(), wanted)


def test_probabilities_are_the_softmax_of_the_tables(tmp_path: Path):
    """One n-gram is known, so its half is that n-gram's row · 1/√1; the dense half sees only the text's own direction."""
    direction = FakeEmbedder().encode_query(["退货"])[0]
    write_classifier(
        tmp_path / "two",
        labels=["invoice", "return"],
        ngrams={zlib.crc32("退货".encode()): [1, -1]},
        scale=0.25,
        dense=np.stack([0 * direction, 2 * direction], axis=1),
        bias=[0.5, 0.0],
        temperature=2.0,
    )
    classifier = TextClassifier(tmp_path / "two", FakeEmbedder())

    [row] = classifier.probabilities(["退货"])

    invoice, returned = exp((0.25 + 0 + 0.5) / 2), exp((-0.25 + 2 + 0) / 2)
    assert row.tolist() == pytest.approx([invoice / (invoice + returned), returned / (invoice + returned)], rel=1e-6)


def two_labels(folder: Path, ngrams: dict[int, list[int]], *, bias: tuple[float, float] = (0, 0)) -> TextClassifier:
    """A classifier that hears n-grams alone."""
    write_classifier(folder, labels=["a", "b"], ngrams=ngrams, dense=np.zeros((DIMENSION, 2)), bias=bias)
    return TextClassifier(folder, FakeEmbedder())


def test_ngrams_weigh_by_the_root_of_their_number(tmp_path: Path):
    grams = ngram_codes("退货")
    classifier = two_labels(tmp_path / "two", {code: [1, 0] for code in grams})

    [row] = classifier.probabilities(["退货"])

    assert log(row[0] / row[1]) == pytest.approx(len(grams) / sqrt(len(grams)), rel=1e-5)


def test_only_known_ngrams_count_in_the_root(tmp_path: Path):
    known = codes_of("退", "货")
    classifier = two_labels(tmp_path / "two", {code: [3, 0] for code in known})

    [row] = classifier.logits(["我要退货"])

    assert row.tolist() == pytest.approx([2 * 3 / sqrt(2), 0])


@pytest.mark.parametrize("ngrams", [{}, {zlib.crc32("退".encode()): [5, 0]}], ids=["no n-gram is known at all", "none of this text is"])
def test_a_text_without_a_known_ngram_is_told_by_the_rest(tmp_path: Path, ngrams: dict[int, list[int]]):
    classifier = two_labels(tmp_path / "two", ngrams, bias=(0.0, 1.0))

    assert classifier.logits(["发票"]).tolist() == [[0.0, 1.0]]
    assert classifier.probabilities(["发票"])[0].tolist() == pytest.approx([1 / (1 + exp(1)), 1 / (1 + exp(-1))])


def test_classifiers_of_other_weights_or_labels_have_other_ids(tmp_path: Path):
    folders = {name: tmp_path / name / "needs" for name in ("one", "same", "warmer", "other labels", "other weights")}
    tables = {"ngrams": {1: [1, 2]}, "dense": np.zeros((DIMENSION, 2)), "bias": [0, 0]}
    write_classifier(folders["one"], labels=["a", "b"], **tables)
    write_classifier(folders["same"], labels=["a", "b"], **tables)
    write_classifier(folders["warmer"], labels=["a", "b"], temperature=2.0, **tables)
    write_classifier(folders["other labels"], labels=["a", "c"], **tables)
    write_classifier(folders["other weights"], labels=["a", "b"], **tables | {"ngrams": {1: [1, 3]}})

    ids = {name: TextClassifier(folder, FakeEmbedder()).model_id for name, folder in folders.items()}

    assert ids["one"] == ids["same"]
    assert len(set(ids.values())) == 4
    assert ids["one"].startswith("needs@")


def test_softmax_survives_large_logits():
    rows = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], dtype=np.float32))

    assert rows.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_label_groups_sum_needs_to_scenarios():
    names, membership = label_groups(["order.cancel/after", "invoice/title", "order.cancel/before"])

    assert names == ["invoice", "order.cancel"]
    assert np.allclose(np.array([[0.2, 0.5, 0.3]]) @ membership, [[0.5, 0.5]])
