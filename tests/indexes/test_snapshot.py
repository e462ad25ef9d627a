import dataclasses
import json
from datetime import timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from indexes.build import build_snapshot, check_findable
from indexes.classifier import TextClassifier
from indexes.errors import SnapshotCorrupt, SnapshotError, SnapshotIncompatible, SnapshotMissing, SnapshotRefused
from indexes.reply_keys import ReplyKey
from indexes.snapshot import MANIFEST, Manifest, Snapshot, assemble, read_manifest, read_snapshot, sha256_of, write_snapshot
from knowledge.shop import Shop, load_shop
from tests.fakes import MORNING, REPLIES, FakeEmbedder, SnapshotBuilder, fake_needs_id, write_shop

LEXICAL_FILES = ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy", "params.index.json", "rows.txt", "vocab.index.json")
FILES = sorted(
    ["articles.jsonl", "passages.jsonl", "products.jsonl", "replies.jsonl", "sample_conversations.jsonl", "sample_orders.jsonl", "store.json"]
    + ["cases/cases.faiss", "cases/cases.json", "key_needs.faiss", "key_vectors.faiss", "passage_vectors.faiss"]
    + [f"{index}/{name}" for index in ("key_terms", "passage_terms") for name in LEXICAL_FILES]
)


def read(folder: Path, *, model_id: str = "fake-16", dimension: int = 16, needs_model_id: str | None = None) -> Snapshot:
    return read_snapshot(folder, model_id=model_id, dimension=dimension, needs_model_id=needs_model_id or fake_needs_id())


@pytest.fixture
def written(tmp_path: Path, tiny_snapshot: Snapshot) -> Path:
    write_snapshot(tiny_snapshot, tmp_path / "written")
    return tmp_path / "written"


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def same_knowledge(one: Snapshot, other: Snapshot) -> bool:
    """Whether both hold the same records and find the same."""
    queries = ["快递没动", "发票", "退货", "夜班", "zz"]
    vectors = FakeEmbedder().encode_query(queries)
    return (
        one.shop == other.shop
        and one.keys == other.keys
        and one.article_passages == other.article_passages
        and one.passage_words == other.passage_words
        and one.key_reply_rows.tolist() == other.key_reply_rows.tolist()
        and one.key_is_trigger.tolist() == other.key_is_trigger.tolist()
        and all(
            np.array_equal(getattr(one, name).vectors(np.arange(len(getattr(one, name)))), getattr(other, name).vectors(np.arange(len(getattr(other, name)))))
            for name in ("key_vectors", "key_needs", "passage_vectors")
        )
        and all(np.array_equal(one.key_terms.scores(query), other.key_terms.scores(query)) for query in queries)
        and all(np.array_equal(one.passage_terms.scores(query), other.passage_terms.scores(query)) for query in queries)
        and [hits.rows.tolist() for hits in one.key_vectors.search(vectors, n_rows=3)]
        == [hits.rows.tolist() for hits in other.key_vectors.search(vectors, n_rows=3)]
    )


# Build


def test_keys_are_each_replys_triggers_and_its_words_without_code(tiny_snapshot: Snapshot):
    assert tiny_snapshot.keys == (
        ReplyKey(0, True, "快递三天没动了"),
        ReplyKey(0, True, "物流怎么一直不更新"),
        ReplyKey(0, False, "让您等着急了。 我已向快递核实。\u2028第二行\n第三行 😀"),
        ReplyKey(1, True, "发票抬头写错了"),
        ReplyKey(1, False, "发票抬头可以改，请告诉我新的抬头。"),
        ReplyKey(2, True, "怎么退货"),
        ReplyKey(2, True, "我不想要了"),
        ReplyKey(2, False, "在订单里点申请退货。"),
    )
    assert tiny_snapshot.key_reply_rows.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert tiny_snapshot.key_is_trigger.tolist() == [True, True, False, True, False, True, True, False]


def test_the_manifest_says_what_was_built_and_by_what(tiny_snapshot: Snapshot):
    manifest = tiny_snapshot.manifest

    assert (manifest.store_id, manifest.model_id, manifest.dimension, manifest.needs_model_id) == ("tiny", "fake-16", 16, fake_needs_id())
    assert manifest.counts == {"articles": 2, "passages": 3, "replies": 3, "keys": 8, "products": 1, "cases": 0}
    assert manifest.created_at == "2026-11-21T08:30:05+00:00"
    assert manifest.snapshot_id == f"20261121T083005-{manifest.knowledge_hash[:8]}"


def test_ids_are_in_utc_wherever_the_clock_stands(build: SnapshotBuilder, tiny_snapshot: Snapshot):
    in_shanghai = MORNING.astimezone(timezone(timedelta(hours=8)))

    assert build(now=in_shanghai).manifest == tiny_snapshot.manifest


def test_a_trigger_finds_its_reply_by_meaning_and_by_words(tiny_snapshot: Snapshot):
    [dense] = tiny_snapshot.key_vectors.search(FakeEmbedder().encode_query(["发票抬头写错了"]), n_rows=1)
    lexical = tiny_snapshot.key_terms.search("发票抬头写错了", n_rows=1)

    assert (dense.rows.tolist(), lexical.rows.tolist()) == ([3], [3])
    assert dense.similarities.tolist() == pytest.approx([1.0], abs=1e-6)


def test_needs_of_keys_are_roots_of_probabilities(tiny_snapshot: Snapshot, tiny_needs: TextClassifier):
    """Their inner product is the Bhattacharyya coefficient: 1 for a text with itself."""
    stored = tiny_snapshot.key_needs.vectors(np.arange(8))

    assert stored**2 == pytest.approx(tiny_needs.probabilities([key.text for key in tiny_snapshot.keys]), abs=1e-6)
    assert (stored * stored).sum(axis=1) == pytest.approx(np.ones(8), abs=1e-5)


def test_passages_are_searched_with_their_articles_title(tiny_snapshot: Snapshot):
    hits = tiny_snapshot.passage_terms.search("物流停滞", n_rows=5)

    assert [tiny_snapshot.shop.passages[row].heading for row in sorted(hits.rows)] == ["物流停滞", "赔付"]


def test_progress_is_told_for_every_stage(tiny_shop: Shop, tiny_needs: TextClassifier):
    told: list[tuple[str, int, int]] = []

    build_snapshot(tiny_shop, embedder=FakeEmbedder(), needs=tiny_needs, now=MORNING, on_progress=lambda stage, done, total: told.append((stage, done, total)))

    assert told == [("replies", 8, 8), ("needs", 8, 8), ("passages", 3, 3)]


def test_the_same_shop_and_time_give_the_same_snapshot_whatever_order_its_rows_are_in(tmp_path: Path, build: SnapshotBuilder, tiny_snapshot: Snapshot):
    other_order = load_shop(write_shop(tmp_path / "shop", replies=tuple(reversed(REPLIES))))

    snapshot = build(other_order)

    assert snapshot.manifest == tiny_snapshot.manifest
    assert same_knowledge(snapshot, tiny_snapshot)


def test_the_same_knowledge_later_has_the_same_hash_and_another_id(build: SnapshotBuilder, tiny_snapshot: Snapshot):
    later = build(now=MORNING + timedelta(days=1)).manifest

    assert later.knowledge_hash == tiny_snapshot.manifest.knowledge_hash
    assert later.snapshot_id > tiny_snapshot.manifest.snapshot_id


@pytest.mark.parametrize(
    ("field", "value"),
    [("text", "发票抬头不能改。"), ("triggers", "抬头"), ("when", "order.status == 'paid'"), ("effective_to", "2026-12-01"), ("authority", "lead")],
)
def test_any_change_of_an_approved_reply_changes_the_hash(tmp_path: Path, build: SnapshotBuilder, tiny_snapshot: Snapshot, field: str, value: str):
    replies = [{**reply, field: value} if reply["id"] == "invoice-title" else reply for reply in REPLIES]

    changed = build(load_shop(write_shop(tmp_path / "shop", replies=replies)))

    assert changed.manifest.knowledge_hash != tiny_snapshot.manifest.knowledge_hash


# Findable


def test_a_sound_snapshot_is_findable(tiny_snapshot: Snapshot):
    check_findable(tiny_snapshot, FakeEmbedder())


def test_the_shipped_shop_is_findable(demo_snapshot: Snapshot, embedder: FakeEmbedder):
    check_findable(demo_snapshot, embedder)


def test_a_reply_that_its_own_trigger_cannot_find_is_refused_by_name(tmp_path: Path, build: SnapshotBuilder):
    lost = {"id": "lost", "scenario": "invoice", "text": "请看这里。", "triggers": "？！", "status": "approved"}
    snapshot = build(load_shop(write_shop(tmp_path / "shop", replies=[*REPLIES, lost])))

    with pytest.raises(SnapshotRefused) as raised:
        check_findable(snapshot, FakeEmbedder())

    assert raised.value.slug == "snapshot_refused"
    assert raised.value.reasons == ("1 of 8 are not found by their own words, such as lost",)


def test_vectors_of_the_wrong_texts_are_refused(tmp_path: Path, build: SnapshotBuilder):
    """Rows that slipped by one: every trigger finds another reply by meaning, and the words' index is empty."""
    replies = [{"id": f"r{n}", "scenario": "invoice", "text": f"word{n}", "triggers": f"trigger{n}", "status": "approved"} for n in range(40)]
    snapshot = build(load_shop(write_shop(tmp_path / "shop", replies=replies)))
    nonsense = build(load_shop(write_shop(tmp_path / "other", replies=[{**reply, "text": "好", "triggers": "好"} for reply in replies])))

    with pytest.raises(SnapshotRefused, match="are not found by their own words"):
        check_findable(dataclasses.replace(snapshot, key_vectors=nonsense.key_vectors, key_terms=nonsense.key_terms), FakeEmbedder())


def test_an_article_that_its_title_cannot_find_is_refused(tmp_path: Path, build: SnapshotBuilder):
    folder = write_shop(tmp_path / "shop")
    (folder / "articles" / "odd.md").write_text('---\nid: odd\ntitle: "？？"\nkind: faq\n---\n内容。\n', encoding="utf-8")

    with pytest.raises(SnapshotRefused, match="such as odd"):
        check_findable(build(load_shop(folder)), FakeEmbedder())


# Write and read


def test_what_is_written_is_read_back_equal(written: Path, tiny_snapshot: Snapshot):
    snapshot = read(written)

    assert same_knowledge(snapshot, tiny_snapshot)
    assert dataclasses.replace(snapshot.manifest, files={}) == tiny_snapshot.manifest


def test_a_shop_with_nothing_approved_and_no_articles_is_read_back(tmp_path: Path, build: SnapshotBuilder):
    folder = write_shop(tmp_path / "shop", replies=[reply for reply in REPLIES if reply["status"] != "approved"])
    for article in (folder / "articles").iterdir():
        article.unlink()
    snapshot = build(load_shop(folder))
    check_findable(snapshot, FakeEmbedder())
    write_snapshot(snapshot, tmp_path / "written")

    loaded = read(tmp_path / "written")

    assert loaded.keys == ()
    assert loaded.key_vectors.search(FakeEmbedder().encode_query(["发票"]), n_rows=5)[0].rows.tolist() == []
    assert loaded.passage_terms.search("发票", n_rows=5).rows.tolist() == []


def test_the_manifest_names_every_file_with_its_checksum(written: Path):
    manifest = read_manifest(written)

    assert sorted(manifest.files) == FILES
    assert manifest.files == {name: sha256_of(written / name) for name in FILES}
    assert {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()} == {*FILES, MANIFEST}


def test_two_writes_of_the_same_knowledge_are_the_same_bytes(tmp_path: Path, build: SnapshotBuilder, written: Path):
    write_snapshot(build(), tmp_path / "again")

    for name in [*FILES, MANIFEST]:
        assert (tmp_path / "again" / name).read_bytes() == (written / name).read_bytes(), name


@pytest.mark.parametrize("secret", ["zzdraft", "zzblocked", "草稿里的话", "拦下的话"])
def test_drafts_and_blocked_replies_are_nowhere_in_the_files(written: Path, secret: str):
    hidden = [secret.encode(), json.dumps(secret)[1:-1].encode(), secret.encode("utf-16-le")]

    for path in written.rglob("*"):
        if path.is_file():
            assert not any(form in path.read_bytes() for form in hidden), path.name


def test_files_hold_data_only(written: Path):
    """NumPy arrays load with pickles forbidden; FAISS files carry its flat index's mark; all else is text."""
    for name in FILES:
        content = (written / name).read_bytes()
        if name.endswith(".npy"):
            assert np.load(written / name, allow_pickle=False).dtype.kind in "fiu", name
        elif name.endswith(".faiss"):
            assert content[:4] in (b"IxFI", b"IxF2"), name
        else:
            lines = content.decode("utf-8").split("\n") if name.endswith(".jsonl") else [content.decode("utf-8")]
            assert all(isinstance(json.loads(line), dict | int) for line in lines if line), name


# Damage


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere_is_found_by_checksum(written: Path, name: str):
    path = written / name
    sound = path.read_bytes()

    for position in {0, len(sound) // 2, len(sound) - 1}:
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :])
        with pytest.raises(SnapshotCorrupt) as raised:
            read(written)
        assert raised.value.file == path
        assert raised.value.expected == read_manifest(written).files[name] != raised.value.got


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(written: Path, name: str):
    (written / name).unlink()

    with pytest.raises(SnapshotCorrupt, match=r"expected [0-9a-f]{64}, got no such file") as raised:
        read(written)

    assert raised.value.file == written / name


def test_a_truncated_file_is_found(written: Path):
    (written / "replies.jsonl").write_text("", encoding="utf-8")

    with pytest.raises(SnapshotCorrupt, match=r"replies\.jsonl is damaged"):
        read(written)


def test_no_manifest_is_no_snapshot(written: Path):
    (written / MANIFEST).unlink()

    with pytest.raises(SnapshotMissing, match=r"scripts\.reindex"):
        read(written)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"format_version": "x"}', b'{"format_version": 3}', b'{"format_version": 3, "surprise": 2}'],
)
def test_a_manifest_that_cannot_be_read_is_damage(written: Path, content: bytes):
    (written / MANIFEST).write_bytes(content)

    with pytest.raises(SnapshotCorrupt) as raised:
        read(written)

    assert raised.value.file == written / MANIFEST


def test_a_flipped_bit_of_the_manifest_never_changes_what_is_served(written: Path, tiny_snapshot: Snapshot):
    path = written / MANIFEST
    sound = path.read_bytes()

    for position in range(0, len(sound), 11):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :])
        try:
            snapshot = read(written)
        except SnapshotError:
            continue
        assert same_knowledge(snapshot, tiny_snapshot)


@pytest.mark.parametrize("other", [2, 4])
def test_a_manifest_of_another_format_is_incompatible_even_with_fields_unknown_today(written: Path, other: int):
    edit_manifest(written, format_version=other, shards=[1, 2, 3])

    with pytest.raises(SnapshotIncompatible) as raised:
        read(written)

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("format", "3", str(other))
    assert raised.value.slug == "snapshot_incompatible"
    assert "rebuild with `python -m scripts.reindex`" in str(raised.value)


def test_a_manifest_of_another_contract_is_incompatible(written: Path):
    edit_manifest(written, contract_version="9")

    with pytest.raises(SnapshotIncompatible) as raised:
        read(written)

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("contract", "1", "9")


def test_a_snapshot_of_another_model_is_incompatible(written: Path):
    with pytest.raises(SnapshotIncompatible) as raised:
        read(written, model_id="zh-static")

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("model", "zh-static", "fake-16")


def test_a_snapshot_of_another_need_classifier_is_incompatible(written: Path):
    with pytest.raises(SnapshotIncompatible) as raised:
        read(written, needs_model_id="needs@other")

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("needs model", "needs@other", fake_needs_id())


def test_a_snapshot_of_another_width_is_incompatible(written: Path):
    with pytest.raises(SnapshotIncompatible) as raised:
        read(written, dimension=256)

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("dimension", "256", "16")


@pytest.mark.parametrize("name", ["key_vectors", "key_needs", "key_terms", "passage_vectors", "passage_terms"])
def test_an_index_of_another_number_of_rows_than_the_records_is_refused(tmp_path: Path, build: SnapshotBuilder, tiny_snapshot: Snapshot, name: str):
    folder = write_shop(tmp_path / "shop", replies=REPLIES[:1])
    (folder / "articles" / "staff.md").unlink()
    smaller = build(load_shop(folder))
    indexes = {field: getattr(tiny_snapshot, field) for field in ("key_vectors", "key_needs", "key_terms", "passage_vectors", "passage_terms")}

    with pytest.raises(SnapshotIncompatible, match=f"number of rows in {name}"):
        assemble(tiny_snapshot.manifest, tiny_snapshot.shop, **{**indexes, name: getattr(smaller, name)})


def test_a_written_folder_is_never_written_again(written: Path, tiny_snapshot: Snapshot):
    with pytest.raises(FileExistsError):
        write_snapshot(tiny_snapshot, written)


def test_the_manifest_on_disk_is_the_one_given(tmp_path: Path, tiny_snapshot: Snapshot):
    manifest = write_snapshot(tiny_snapshot, tmp_path / "one")

    assert isinstance(manifest, Manifest)
    assert read_manifest(tmp_path / "one") == manifest
