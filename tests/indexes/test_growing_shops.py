"""A large shop night after night: what did not change is kept as it was stored, and what the index says is what one built anew would say."""

import itertools
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.approximate_index import Asked
from indexes.build import build_snapshot
from indexes.errors import SnapshotIncompatible
from indexes.grown import GrownVectors
from indexes.large_shop import LargeShop
from indexes.proven_rows import proven_rows
from indexes.publish import SNAPSHOTS, load_current, load_last_good, publish, snapshot_ids
from indexes.quarantine import quarantined
from indexes.snapshot import Snapshot, read_manifest
from indexes.vector_cache import VectorCache
from knowledge.errors import InvalidKnowledge
from knowledge.shop import Shop, load_shop
from tests.conftest import STORES

BUILT_AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def built(embedder, needs):
    def build(shop: Shop, live: Snapshot | None = None, cache: VectorCache | None = None) -> Snapshot:
        return build_snapshot(shop, embedder=embedder, needs=needs, now=BUILT_AT, exact_up_to=100, live=live, cache=cache)

    return build


@pytest.fixture(scope="module")
def first(demo_shop, built) -> Snapshot:
    return built(demo_shop)


def night(shop: Shop, number: int = 0) -> Shop:
    """The shop a day later: some replies gone, some asked for and worded otherwise, some new."""
    replies = list(shop.replies)
    edited = [one.model_copy(update={"triggers": (*one.triggers[:-1], f"第{number}天怎么说{place}"), "tone": ""}) for place, one in enumerate(replies[10:20])]
    new = [one.model_copy(update={"id": f"{one.id}-n{number}", "scenario": "own.night", "cites": ()}) for one in replies[40:44]]
    return replace(shop, replies=tuple(sorted([*replies[:10], *edited, *replies[24:], *new], key=lambda one: one.id)))


def assert_same_index(one: Snapshot, other: Snapshot) -> None:
    rows = np.arange(len(other.keys))
    assert list(one.shop.replies) == list(other.shop.replies)
    assert one.manifest.knowledge_hash == other.manifest.knowledge_hash
    assert np.array_equal(one.key_vectors.vectors(rows), other.key_vectors.vectors(rows))
    assert np.array_equal(one.key_needs.vectors(rows), other.key_needs.vectors(rows))
    assert one.reply_needs is not None
    assert other.reply_needs is not None
    replies = np.arange(len(other.shop.replies))
    assert np.array_equal(one.reply_needs.vectors(replies), other.reply_needs.vectors(replies))
    for text in ("退货运费谁出", "第2天怎么说3", "hello", ""):
        assert np.array_equal(one.key_terms.scores_of(text, rows), other.key_terms.scores_of(text, rows)), text
    assert one.keys == other.keys


def test_after_many_nights_the_index_is_that_of_one_built_anew(demo_shop, first, built):
    """Every row, every score, every record; only the approximate lists remember how they came about."""
    shop, grown = demo_shop, first
    for number in range(3):
        shop = night(shop, number)
        grown = built(shop, grown)
    anew = built(shop)

    assert isinstance(grown.key_vectors, GrownVectors)
    assert_same_index(grown, anew)
    assert [one.id for one in grown.shop.replies] == [grown.columns.ids[row].decode() for row in range(len(grown.columns))]
    assert grown.manifest.recall is not None
    assert grown.manifest.recall >= 0.98


def test_what_is_found_is_there_and_what_is_gone_is_not(demo_shop, first, built, embedder):
    shop = night(demo_shop)
    grown = built(shop, first)
    gone = {one.id for one in demo_shop.replies} - {one.id for one in shop.replies}

    found = set()
    for text in ("第0天怎么说3", "退货运费谁出", demo_shop.replies[21].triggers[0]):
        [near] = grown.key_vectors.search(embedder.encode_query([text]), n_rows=50)
        said = grown.key_terms.search(text, n_rows=50)
        assert (np.diff(near.similarities) <= 0).all()
        found |= {grown.shop.replies[int(grown.key_reply_rows[row])].id for row in (*near.rows, *said.rows)}

    assert gone
    assert not found & gone
    assert found <= {one.id for one in shop.replies}
    [best] = grown.key_vectors.search(embedder.encode_query(["第0天怎么说3"]), n_rows=1)
    assert grown.keys[int(best.rows[0])].text == "第0天怎么说3"


def test_only_new_keys_are_embedded(demo_shop, first, built):
    cache = VectorCache()

    built(night(demo_shop), first, cache)

    new = 10 + sum(len(one.triggers) + 1 for one in demo_shop.replies[40:44])  # one trigger of ten edited replies, and new replies' keys
    assert 10 < cache.counts["needs"]["computed"] <= new
    assert cache.counts["needs"]["texts"] > 2_000


def test_a_night_with_nothing_but_losses(demo_shop, first, built):
    shop = replace(demo_shop, replies=demo_shop.replies[:-30])

    assert_same_index(built(shop, first), built(shop))


def test_what_came_later_becomes_part_of_a_new_base_when_it_is_much(demo_shop, first, built):
    """Every reply asked for in other words: more than a fifth is new."""
    shop = replace(demo_shop, replies=tuple(one.model_copy(update={"triggers": tuple(f"{said}？" for said in one.triggers)}) for one in demo_shop.replies))

    grown = built(shop, first)

    assert grown.large is not None
    assert grown.large.recent is None
    assert_same_index(grown, built(shop))


def test_a_base_of_another_recipe_is_not_used(demo_shop, first, built):
    strange = replace(first, large=replace(first.large, made_by="another model"))

    assert built(demo_shop, strange).large.recent is None


def test_what_is_nearest_is_known_without_looking_at_every_row(first):
    """The least similarity that counts, after rows went and came, is that of looking at every row that stands."""
    asked = first.large.asked
    vectors = first.large.base.vectors.stored(np.arange(len(first.keys)))
    stands = np.random.default_rng(5).random(len(vectors)) > 0.2
    more = vectors[:40][:, ::-1]

    assert np.allclose(asked.after(stands, more), Asked.of(np.concatenate([vectors[stands], more]), asked.queries).least, atol=1e-6)


def test_inner_products_are_those_of_the_rows(demo_shop, first, built, embedder):
    grown = built(night(demo_shop), first)
    rows, asked = np.arange(len(grown.keys))[::7], embedder.encode_query(["退货运费谁出", "怎么开发票"])

    assert np.allclose(grown.key_vectors.cosines(rows, asked), grown.key_vectors.vectors(rows) @ asked.T, atol=1e-6)
    needs = grown.key_needs.vectors(rows[:2])
    assert np.allclose(grown.key_needs.cosines(rows, needs), grown.key_needs.vectors(rows) @ needs.T, atol=1e-6)


def test_words_of_passages_are_indexed_again_only_when_they_change(demo_shop, first, built):
    other = demo_shop.articles[0].model_copy(update={"title": "另一个标题"})

    assert built(night(demo_shop), first).passage_terms is first.passage_terms
    retitled = built(replace(demo_shop, articles=(other, *demo_shop.articles[1:])), first)
    assert retitled.passage_terms is not first.passage_terms
    assert retitled.passage_terms.scores("另一个标题").max() > first.passage_terms.scores("另一个标题").max()


# On disk


@pytest.fixture
def nights(demo_shop, first, built, embedder, tmp_path: Path) -> tuple[Path, Snapshot]:
    """A shop that was published and had four nights."""
    publish(first, tmp_path, embedder=embedder)
    shop = demo_shop
    for number in range(4):
        shop = night(shop, number)
        publish(built(shop, load_current(tmp_path, embedder=embedder)), tmp_path, embedder=embedder)
    return tmp_path, load_current(tmp_path, embedder=embedder)


def inode(store_dir: Path, snapshot_id: str) -> int:
    return (store_dir / SNAPSHOTS / snapshot_id / "base" / "vectors.rows.npy").stat().st_ino


def test_a_base_lies_twice_on_the_disk_and_neighbours_never_share_it(nights, built):
    store_dir, live = nights
    found = [inode(store_dir, one) for one in snapshot_ids(store_dir)]

    assert len(found) == 5
    assert len(set(found)) == 2
    assert all(one != other for one, other in itertools.pairwise(found))
    assert_same_index(live, built(Shop(**{**_fields(live.shop), "replies": tuple(live.shop.replies)})))


def _fields(shop: Shop) -> dict[str, Any]:
    return {name: getattr(shop, name) for name in Shop.__dataclass_fields__}


class Killed(Exception):
    """What stands for a kill in a test of one process; processes are killed in `kill_at_each_step`."""


@pytest.mark.parametrize("step", ["written", "loaded back", "synced", "renamed", "pointed", "recorded", "forgotten"])
def test_a_night_that_ends_at_any_step_leaves_a_whole_index_and_both_copies_of_the_base(nights, built, embedder, demo_shop, step):
    store_dir, live = nights
    grown = built(night(demo_shop, 7), live)

    def die(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        publish(grown, store_dir, embedder=embedder, on_step=die)

    after = load_current(store_dir, embedder=embedder)
    assert after.manifest.knowledge_hash in (live.manifest.knowledge_hash, grown.manifest.knowledge_hash)
    last = publish(built(night(demo_shop, 8), after), store_dir, embedder=embedder).snapshot_id
    load_current(store_dir, embedder=embedder)
    kept = snapshot_ids(store_dir)
    assert kept[-1] == last
    assert inode(store_dir, last) != inode(store_dir, after.manifest.snapshot_id)
    assert not [path for path in (store_dir / SNAPSHOTS).iterdir() if path.name.startswith(".")]


def test_the_first_night_after_a_base_links_the_copy_that_was_laid_by(demo_shop, first, built, embedder, tmp_path: Path):
    publish(first, tmp_path, embedder=embedder)
    spare = tmp_path / "spare" / "base" / "vectors.rows.npy"
    laid_by = spare.stat().st_ino

    last = publish(built(night(demo_shop), load_current(tmp_path, embedder=embedder)), tmp_path, embedder=embedder).snapshot_id

    ids = snapshot_ids(tmp_path)
    assert inode(tmp_path, ids[0]) != laid_by
    assert inode(tmp_path, last) == laid_by


def test_a_copy_that_was_laid_by_half_or_is_damaged_is_not_linked(demo_shop, first, built, embedder, tmp_path: Path):
    publish(first, tmp_path, embedder=embedder)
    spare = tmp_path / "spare" / "base"
    (spare / "needs.npy").unlink()

    last = publish(built(night(demo_shop), load_current(tmp_path, embedder=embedder)), tmp_path, embedder=embedder).snapshot_id

    assert inode(tmp_path, last) not in {inode(tmp_path, snapshot_ids(tmp_path)[0]), (spare / "vectors.rows.npy").stat().st_ino}
    load_current(tmp_path, embedder=embedder)


def test_a_disk_too_full_for_a_second_copy_stops_nothing(demo_shop, first, built, embedder, tmp_path: Path, monkeypatch):
    def full(_source: object, target: Path, **_: object) -> None:
        Path(target).mkdir(parents=True)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    manifest = publish(first, tmp_path, embedder=embedder)
    monkeypatch.undo()

    assert load_current(tmp_path, embedder=embedder).manifest.snapshot_id == manifest.snapshot_id
    assert not [path for path in tmp_path.iterdir() if "spare" in path.name]
    publish(built(night(demo_shop), load_current(tmp_path, embedder=embedder)), tmp_path, embedder=embedder)


def test_where_files_cannot_be_linked_they_are_copied(nights, built, embedder, demo_shop, monkeypatch):
    store_dir, live = nights

    def refuse(_source: str, _target: str) -> None:
        raise PermissionError("this file system has no hard links")

    monkeypatch.setattr(os, "link", refuse)
    manifest = publish(built(night(demo_shop, 9), live), store_dir, embedder=embedder)

    load_current(store_dir, embedder=embedder)
    assert [inode(store_dir, one) for one in snapshot_ids(store_dir)].count(inode(store_dir, manifest.snapshot_id)) == 1


@pytest.mark.parametrize("name", ["base/vectors.rows.npy", "base/vectors.faiss", "base/terms/terms.npy", "recent/needs.npy", "columns/key_slots.npy"])
def test_a_damaged_base_takes_every_second_snapshot_and_the_one_before_serves(nights, embedder, name):
    store_dir, _ = nights
    ids = snapshot_ids(store_dir)
    path = store_dir / SNAPSHOTS / ids[-1] / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:  # in place, as a disk does it
        file.write(content)

    loaded = load_last_good(store_dir, embedder=embedder)

    assert loaded.snapshot.manifest.snapshot_id == ids[-2]
    assert [one.snapshot_id for one in loaded.set_aside] == [ids[-1]]
    assert name in loaded.set_aside[0].reason
    assert [folder.name for folder in quarantined(store_dir)] == [f"{ids[-1]}-1"]


def test_a_damaged_sibling_is_not_linked(nights, built, embedder, demo_shop):
    """The base that would be linked is damaged: the live one's is copied, and the copy is whole."""
    store_dir, live = nights
    before_live = snapshot_ids(store_dir)[-2]
    path = store_dir / SNAPSHOTS / before_live / "base" / "needs.npy"
    with path.open("r+b") as file:
        file.seek(500)
        file.write(b"damage")

    manifest = publish(built(night(demo_shop, 9), live), store_dir, embedder=embedder)

    load_current(store_dir, embedder=embedder)
    assert inode(store_dir, manifest.snapshot_id) not in {inode(store_dir, one) for one in snapshot_ids(store_dir) if one != manifest.snapshot_id}


def test_a_large_shop_of_the_earlier_format_is_told_from_this_one(nights, tmp_path: Path):
    store_dir, live = nights
    folder = store_dir / SNAPSHOTS / live.manifest.snapshot_id
    manifest = (folder / "manifest.json").read_text(encoding="utf-8").replace('"format_version": 5', '"format_version": 3')
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")

    with pytest.raises(SnapshotIncompatible, match="format"):
        read_manifest(folder)


def test_columns_that_are_not_the_parts_are_refused(nights):
    store_dir, live = nights
    folder = store_dir / SNAPSHOTS / live.manifest.snapshot_id
    other = store_dir / SNAPSHOTS / snapshot_ids(store_dir)[0]
    shutil.copy(other / "columns" / "key_slots.npy", folder / "columns" / "key_slots.npy")

    with pytest.raises(SnapshotIncompatible, match="number of keys"):
        LargeShop.read(folder)


def test_a_reply_is_read_when_it_is_asked_for(nights):
    _, live = nights
    wanted = live.shop.replies[100]

    assert live.reply(wanted.id) == wanted
    assert live.reply("nobody") is None
    assert live.shop.replies[100] is wanted  # at hand
    assert live.shop.replies[-1] == list(live.shop.replies)[-1]
    assert live.shop.replies[5:8] == tuple(live.shop.replies)[5:8]
    with pytest.raises(IndexError):
        live.shop.replies[len(live.shop.replies)]


# Rows that were proven


@pytest.fixture
def files(demo_shop, tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    shutil.copytree(STORES / "demo", folder)
    return folder


def test_the_rows_of_a_large_shop_are_proven_once(files: Path, built, embedder, tmp_path: Path):
    shop = load_shop(files)
    publish(built(shop), tmp_path / "index", embedder=embedder)

    proven = proven_rows(tmp_path / "index")

    assert proven == shop.proven_rows
    assert len(proven) == len(shop.replies)
    assert load_shop(files, proven=proven) == shop


def test_a_row_that_changed_is_proven_again(files: Path):
    shop = load_shop(files)
    content = (files / "replies.csv").read_text(encoding="utf-8-sig")
    (files / "replies.csv").write_text(content.replace("{{", "{{ nobody.knows_", 1), encoding="utf-8")

    with pytest.raises(InvalidKnowledge, match="nobody"):
        load_shop(files, proven=shop.proven_rows)


def test_rows_proven_by_other_code_or_damaged_are_proven_again(files: Path, built, embedder, tmp_path: Path):
    store_dir = tmp_path / "index"
    manifest = publish(built(load_shop(files)), store_dir, embedder=embedder)
    path = store_dir / SNAPSHOTS / manifest.snapshot_id / "columns" / "proven_rows.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    assert proven_rows(store_dir) == frozenset()
    assert proven_rows(tmp_path / "nowhere") == frozenset()
