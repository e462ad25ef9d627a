"""Stand-ins that implement our protocols, and a tiny shop: deterministic, small, no model needed."""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from indexes.classifier import DENSE_LENGTH, TextClassifier, ngram_codes
from indexes.embedder import Vectors, unit
from indexes.lexical_index import lexical_terms
from indexes.snapshot import Snapshot
from suggest.questions import QuestionSplitter

DIMENSION = 16
# Two pieces that sound like different scenarios are two questions.
SPLITTER = QuestionSplitter(mean=(0.0,) * 20, weights=(*(0.0,) * 4, 1.0, *(0.0,) * 15), bias=0.0, threshold=0.5, perhaps=0.5)
MORNING = datetime(2026, 11, 21, 8, 30, 5, tzinfo=UTC)
SnapshotBuilder = Callable[..., Snapshot]  # (shop, *, now)


class FakeEmbedder:
    """A hashed bag of words: texts of the same words have the same unit vector, a text without words a zero one."""

    def __init__(self, model_id: str = "fake-16", dimension: int = DIMENSION) -> None:
        self.model_id = model_id
        self.dimension = dimension
        self.quick = True

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self.encode_document(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in lexical_terms(text):
                vectors[row, zlib.crc32(term.encode()) % self.dimension] += 1
        return unit(vectors)


def write_classifier(
    folder: Path, *, labels: Sequence[str], ngrams: Mapping[int, Sequence[int]], dense: Any, bias: Any, scale: float = 1.0, temperature: float = 1.0
) -> None:
    """Writes the two files that `TextClassifier` reads.

    Args:
        folder: made; must not be there.
        labels: the labels' names.
        ngrams: code → what the n-gram says for each label, whole numbers of `scale`.
        dense: what each dimension of the unit vector says for each label, [dimension, n_labels].
        bias: [n_labels].
        scale: of the n-grams' numbers.
        temperature: divides the scores.
    """
    folder.mkdir(parents=True)
    (folder / "labels.json").write_text(json.dumps({"labels": list(labels), "temperature": temperature}), encoding="utf-8")
    tensors = {
        "codes": np.array(sorted(ngrams), dtype=np.uint32),
        "ngrams": np.array([ngrams[code] for code in sorted(ngrams)], dtype=np.int8).reshape(-1, len(labels)),
        "ngram_scale": np.full(len(labels), scale, dtype=np.float32),
        "output": np.concatenate([np.eye(len(labels)), np.asarray(dense) / DENSE_LENGTH]).astype(np.float32),
        "bias": np.asarray(bias, dtype=np.float32),
    }
    save_file(tensors, str(folder / "model.safetensors"))


def fake_needs(folder: Path) -> TextClassifier:
    """A classifier of three needs with fixed random weights over the fake embedder."""
    rng = np.random.default_rng(3)
    codes = ngram_codes("".join(str(reply.get("triggers", "")) for reply in REPLIES))
    write_classifier(
        folder,
        labels=("invoice/lost", "logistics.delay/stalled", "return.no_reason/how"),
        ngrams={code: rng.integers(-100, 101, size=3).tolist() for code in codes},
        scale=0.02,
        dense=rng.normal(size=(DIMENSION, 3)),
        bias=[0, 0, 0],
    )
    return TextClassifier(folder, FakeEmbedder())


@cache
def fake_needs_id() -> str:
    """The id that `fake_needs` has wherever it is written."""
    with TemporaryDirectory() as folder:
        return fake_needs(Path(folder) / "needs").model_id


STORE_TOML = """
id = "tiny"
name = "小店"
return_window_days = 7
[authority]
agent_compensation_limit = "30.50"
[[style.banned_phrases]]
phrase = "亲亲"
reason = "敷衍"
[[calendar]]
name = "双11"
from = 2026-10-20
to = 2026-11-11
"""

REPLIES: tuple[dict[str, Any], ...] = (
    {
        "id": "delay-stalled",
        "scenario": "logistics.delay",
        "when": "order.status == 'shipped'",
        "tone": "upset",
        "empathy": "让您等着急了。",
        "information": "我已向快递核实。\u2028第二行\n第三行 😀",
        "triggers": "快递三天没动了|物流怎么一直不更新",
        "cites": "stalled",
        "authority": "lead",
        "promises_amount": "10.50",
        "status": "approved",
        "effective_from": "2026-01-01",
        "effective_to": "2026-12-31",
        "attachments": [{"title": "查件", "url": "https://example.com/track", "kind": "link"}],
        "notes": "核实之后再发",
    },
    {"id": "invoice-title", "scenario": "invoice", "text": "发票抬头可以改，请告诉我新的抬头。", "triggers": "发票抬头写错了", "status": "approved"},
    {"id": "return-how", "scenario": "return.no_reason", "action": "在订单里点申请退货。", "triggers": "怎么退货|我不想要了", "status": "approved"},
    {
        "id": "zzdraft-one",
        "scenario": "invoice",
        "text": "草稿里的话 zzdraftwords",
        "triggers": "zzdrafttrigger",
        "status": "draft",
        "notes": "zzdraftnotes",
    },
    {
        "id": "zzblocked-one",
        "scenario": "invoice",
        "text": "拦下的话 zzblockedwords",
        "triggers": "zzblockedtrigger",
        "status": "blocked",
        "notes": "zzblockednotes",
    },
)
PRODUCT = {"sku": "CL-1", "title": "羽绒服", "aliases": "外套|冬衣", "attributes": {"充绒量": "120g"}, "warranty_months": 12}
SAMPLE_ORDER = {"id": "paid", "name": "已付款", "order": {"status": "paid", "paid_at": "-5h"}}
SAMPLE_CONVERSATION = {"name": "催", "message": "快点", "order_id": "paid", "history": [{"role": "customer", "text": "在吗"}]}

ARTICLES = {
    "stalled.md": "---\nid: stalled\ntitle: 物流停滞\nkind: policy\nscenarios: [logistics.delay]\n---\n超过三天不动就核实。\n\n## 赔付\n\n核实丢件后补发。\n",
    "staff.md": "---\nid: staff\ntitle: 值班安排\nkind: process\naudience: internal\n---\n夜班从八点开始。\n",
}


def write_shop(folder: Path, *, replies: Sequence[dict[str, Any]] = REPLIES) -> Path:
    """Writes a whole small shop and gives its folder."""
    (folder / "articles").mkdir(parents=True)
    (folder / "store.toml").write_text(STORE_TOML, encoding="utf-8")
    for name, source in ARTICLES.items():
        (folder / "articles" / name).write_text(source, encoding="utf-8")
    _write_lines(folder / "replies.jsonl", replies)
    _write_lines(folder / "products.jsonl", [PRODUCT])
    _write_lines(folder / "sample_orders.jsonl", [SAMPLE_ORDER])
    _write_lines(folder / "sample_conversations.jsonl", [SAMPLE_CONVERSATION])
    return folder


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
