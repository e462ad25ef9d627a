import json
import re
import shutil
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from indexes.embedder import BUNDLED_MODEL, StaticEmbedder, TransformerEmbedder, load_embedder, unit
from indexes.errors import ModelUnavailable
from indexes.model_files import find_model
from knowledge.normalise import match_form

TEXTS = ["快递三天没动了", "发票抬头写错了，能改吗？", "7天无理由 ABC-123", "where is my parcel", "羽绒服能机洗吗", "亲 在 吗", "X5", "谢谢😀"]


@pytest.fixture(scope="module")
def static() -> StaticEmbedder:
    return StaticEmbedder(BUNDLED_MODEL)


@pytest.mark.filterwarnings("ignore")
def test_static_vectors_equal_sentence_transformers_own_reading(static: StaticEmbedder):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    model = sentence_transformers.SentenceTransformer(str(BUNDLED_MODEL), device="cpu").float()  # the table ships in half precision

    theirs = model.encode([match_form(text) for text in TEXTS], normalize_embeddings=True)

    assert theirs.shape == (len(TEXTS), static.dimension)
    assert np.abs(static.encode_document(TEXTS) - theirs).max() < 1e-6


@pytest.mark.filterwarnings("ignore")
def test_the_bundled_folder_is_a_normal_sentence_transformers_model(static: StaticEmbedder):
    pytest.importorskip("sentence_transformers")
    embedder = TransformerEmbedder(find_model(str(BUNDLED_MODEL)))
    texts = [match_form(text) for text in TEXTS]

    assert embedder.dimension == static.dimension
    for theirs in (embedder.encode_query(texts), embedder.encode_document(texts)):
        assert np.abs(static.encode_document(texts) - theirs).max() < 1e-3  # half precision


def test_vectors_have_length_one(static: StaticEmbedder):
    vectors = static.encode_query(TEXTS)

    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "[微笑]", "😀🛸", "🚀 🚀"])
def test_a_text_that_says_nothing_has_a_zero_vector(static: StaticEmbedder, text: str):
    vectors = static.encode_document(["发票", text])

    assert not vectors[1].any()
    assert vectors[0].any()


def test_no_texts_give_no_vectors(static: StaticEmbedder):
    assert static.encode_document([]).shape == (0, static.dimension)


@pytest.mark.parametrize(
    ("one", "other"),
    [("發票抬頭寫錯了", "发票抬头写错了"), ("ＸＬ碼", "xl码"), ("快递[微笑]没动", "快递 没动"), ("退\u200b货", "退货")],
    ids=["traditional", "full width", "platform code", "zero width"],
)
def test_writings_that_mean_the_same_have_the_same_vector(static: StaticEmbedder, one: str, other: str):
    vectors = static.encode_query([one, other])

    assert vectors[0].tolist() == vectors[1].tolist()


def test_a_text_has_the_same_vector_alone_and_among_others(static: StaticEmbedder):
    together = static.encode_document([*TEXTS, "很长的话" * 500])

    for row, text in enumerate(TEXTS):
        assert static.encode_document([text])[0].tolist() == together[row].tolist()


def test_a_paraphrase_is_nearer_than_another_question(static: StaticEmbedder):
    stalled, not_moving, invoice = static.encode_query(["快递三天没动了", "物流好几天没更新", "发票抬头写错了"])

    assert stalled @ not_moving > stalled @ invoice + 0.2


def test_a_long_text_among_many_takes_little_memory(static: StaticEmbedder):
    texts = ["退货运费谁出" * 500] * 60

    tracemalloc.start()
    vectors = static.encode_document(texts)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (vectors == vectors[0]).all()
    assert peak_bytes < 60e6


def test_sixteen_threads_at_once_get_the_same_vectors(static: StaticEmbedder):
    """The tokenizer raises «Already borrowed» when threads share it without a lock."""
    expected = static.encode_query(TEXTS)

    with ThreadPoolExecutor(max_workers=16) as pool:
        found = list(pool.map(static.encode_query, [TEXTS] * 320))

    assert all(np.array_equal(vectors, expected) for vectors in found)


def test_no_model_named_is_the_bundled_one():
    embedder = load_embedder()

    assert isinstance(embedder, StaticEmbedder)
    assert re.fullmatch(r"zh-static@[0-9a-f]{12}", embedder.model_id)
    assert embedder.dimension == 256


def test_a_static_folder_elsewhere_is_read_directly_under_its_own_name(tmp_path: Path, static: StaticEmbedder):
    shutil.copytree(BUNDLED_MODEL, tmp_path / "mine")

    embedder = load_embedder(str(tmp_path / "mine"))

    assert isinstance(embedder, StaticEmbedder)
    assert embedder.model_id == static.model_id.replace("zh-static", "mine")
    assert np.array_equal(embedder.encode_query(TEXTS), static.encode_query(TEXTS))


@pytest.mark.parametrize(
    ("name", "content"),
    [("tokenizer.json", None), ("tokenizer.json", b"{"), ("model.safetensors", None), ("model.safetensors", b"short")],
    ids=["no tokenizer", "damaged tokenizer", "no weights", "damaged weights"],
)
def test_a_broken_static_folder_is_unavailable(tmp_path: Path, name: str, content: bytes | None):
    folder = tmp_path / "broken"
    shutil.copytree(BUNDLED_MODEL, folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    with pytest.raises(ModelUnavailable) as raised:
        load_embedder(str(folder))

    assert raised.value.model == str(folder)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", ["no-such-org/no-such-model", "/no/such/folder"])
def test_an_unknown_model_offline_is_unavailable_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch, model: str):
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # read once, when the library was imported

    with pytest.raises(ModelUnavailable) as raised:
        load_embedder(model)

    assert raised.value.slug == "model_unavailable"
    assert model in str(raised.value)
    assert "set SUGGEST_MODEL to a folder that holds it" in str(raised.value)


def test_another_model_without_the_models_extra_is_unavailable_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as when it is not installed

    with pytest.raises(ModelUnavailable, match=r"huashu\[models\]"):
        load_embedder("BAAI/bge-small-zh-v1.5")


def test_the_bundled_model_needs_no_sentence_transformers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setitem(sys.modules, "torch", None)

    assert load_embedder().encode_query(["发票"]).any()


def test_unit_scales_rows_and_leaves_zero_rows():
    rows = np.array([[3, 4], [0, 0], [0, -2]], dtype=np.float32)

    assert np.allclose(unit(rows), [[0.6, 0.8], [0, 0], [0, -1]], atol=1e-7)


def test_the_bundled_model_names_its_kind_in_modules_json():
    modules = json.loads((BUNDLED_MODEL / "modules.json").read_text(encoding="utf-8"))

    assert [module["type"].rsplit(".", 1)[-1] for module in modules] == ["StaticEmbedding"]
