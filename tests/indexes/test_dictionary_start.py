import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

sentence_transformers = pytest.importorskip("sentence_transformers")
pytest.importorskip("jieba")
pytest.importorskip("pypinyin")

from sentence_transformers.sentence_transformer.modules import StaticEmbedding  # noqa: E402

from indexes.dictionary_start import dictionary_start, read_glosses  # noqa: E402

CEDICT = """# CC-CEDICT
退貨 退货 [tui4 huo4] /to return merchandise/to withdraw a product/
退 退 [tui4] /to retreat/to withdraw/
貨 货 [huo4] /goods/money/commodity/CL:個|个[ge4]/
發票 发票 [fa1 piao4] /invoice/receipt/bill (of sale)/proof of purchase/fifth sense/
收據 收据 [shou1 ju4] /receipt/CL:張|张[zhang1]/
回單 回单 [hui2 dan1] /receipt/
李 李 [li3] /surname Li/plum/
台 台 [tai2] /variant of 臺|台[tai2]/
乾 乾 [qian2] /old variant of 乾[qian2]/
不 不 [bu4] /not/
行 行 [hang2] /row/line/
行 行 [xing2] /to walk/OK!/
this line is no entry
"""


@pytest.fixture
def cedict(tmp_path: Path) -> Path:
    path = tmp_path / "cedict.txt.gz"
    path.write_bytes(gzip.compress(CEDICT.encode()))
    return path


def test_glosses_are_the_first_four_translations_of_the_simplified_word(cedict: Path):
    glosses = read_glosses(cedict)

    assert glosses["退货"] == "to return merchandise; to withdraw a product"
    assert glosses["发票"] == "invoice; receipt; bill; proof of purchase"
    assert "發票" not in glosses


def test_measure_words_surnames_and_variants_are_no_translations(cedict: Path):
    glosses = read_glosses(cedict)

    assert glosses["货"] == "goods; money; commodity"
    assert glosses["李"] == "plum"
    assert {"台", "乾"} & set(glosses) == set()


def test_two_entries_of_one_word_are_joined(cedict: Path):
    assert read_glosses(cedict)["行"] == "row; line; to walk; OK!"


ENGLISH = sorted(set(re.findall(r"[a-z!]+", CEDICT.lower())) | {"refund"})
WEIGHTS = np.random.default_rng(5).normal(size=(len(ENGLISH) + 1, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that understands English: a text's vector is the mean of its words' random ones."""
    tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate([*ENGLISH, "<unk>"])}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[a-z!]+"), behavior="removed", invert=True)
    folder = tmp_path_factory.mktemp("english") / "model"
    sentence_transformers.SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=WEIGHTS)], device="cpu").save(str(folder))
    return folder


def read_by_hand(text: str) -> np.ndarray:
    return WEIGHTS[[ENGLISH.index(word) for word in re.findall(r"[a-z!]+", text.lower())]].mean(axis=0)


PIECES = ["<pad>", "<unk>", "退", "货", "退货", "发票", "收据", "回单", "不", "行", "不行", "货不", "refund", "ok", "魑", "台"]


TOKENIZER = Tokenizer(models.WordLevel({piece: row for row, piece in enumerate(PIECES)}, unk_token="<unk>"))


@pytest.fixture
def table(cedict: Path, model_dir: Path) -> dict[str, np.ndarray]:
    rows = dictionary_start(cedict, model_dir)(TOKENIZER, 4)
    assert rows.shape == (len(PIECES), 4)
    assert rows.dtype == np.float32
    return dict(zip(PIECES, rows, strict=True))


SILENT = ("<pad>", "<unk>", "ok", "魑", "台")  # not in the dictionary, no word of three letters, and no part says anything


def test_every_piece_that_says_something_starts_alike_long(table: dict[str, np.ndarray]):
    lengths = {piece: float(np.linalg.norm(row)) for piece, row in table.items()}

    assert {piece for piece, length in lengths.items() if length == 0} == set(SILENT)
    assert [length for length in lengths.values() if length] == pytest.approx([3.2] * (len(PIECES) - len(SILENT)), rel=1e-5)


def test_words_of_one_translation_start_at_one_place(table: dict[str, np.ndarray]):
    assert table["收据"] == pytest.approx(table["回单"], abs=1e-5)
    assert np.abs(table["收据"] - table["退货"]).max() > 0.1


def centred_by_hand(cedict: Path) -> tuple[list[str], np.ndarray]:
    glosses = read_glosses(cedict)
    said = {piece: glosses.get(piece, "") for piece in PIECES} | {"refund": "refund"}
    known = [piece for piece in PIECES if said[piece]]
    vectors = np.stack([read_by_hand(said[piece]) for piece in known])
    return known, vectors - vectors.mean(axis=0)


def test_angles_are_those_of_the_translations_seen_along_the_main_axes(cedict: Path, table: dict[str, np.ndarray]):
    """By eigenvectors of the covariance, not by SVD; signs of axes are free, angles are not."""
    known, centred = centred_by_hand(cedict)
    values, axes = np.linalg.eigh(centred.T @ centred)
    seen = centred @ axes[:, np.argsort(-values)[:4]]
    seen = 3.2 * seen / np.linalg.norm(seen, axis=1, keepdims=True)
    rows = np.stack([table[piece] for piece in known])

    assert np.abs(rows @ rows.T - seen @ seen.T).max() < 1e-3


def test_the_strongest_axis_comes_first(cedict: Path, model_dir: Path):
    wide, narrow = (dictionary_start(cedict, model_dir)(TOKENIZER, dimension) for dimension in (6, 2))
    row = PIECES.index("发票")

    assert np.abs(wide[row, :2] / np.linalg.norm(wide[row, :2]) * 3.2) == pytest.approx(np.abs(narrow[row]), abs=1e-3)


def test_a_word_without_translation_starts_between_its_characters(cedict: Path, table: dict[str, np.ndarray]):
    """不行 is no entry: it lies in the plane of 不 and 行, on both their sides."""
    for word in ("不行", "货不"):
        basis = np.stack([table[word[0]], table[word[1]]])
        shares, *_ = np.linalg.lstsq(basis.T, table[word], rcond=None)
        assert (shares > 0).all()
        assert shares @ basis == pytest.approx(table[word], abs=1e-4)
