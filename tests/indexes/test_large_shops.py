"""A shop whose thresholds are forced low takes the large shop's way: the same answers, in files that are mapped; and what finds too little is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from indexes.approximate_index import ApproximateIndex
from indexes.build import build_snapshot, check_findable
from indexes.byte_rows import ROUNDED, ByteRows
from indexes.errors import SnapshotIncompatible, SnapshotRefused
from indexes.publish import load_current, publish
from indexes.reply_keys import reply_keys
from knowledge.chats import read_chats
from suggest.pipeline import request_of
from suggest.search import Wanted, search
from tests.conftest import STORES, suggester_of

BUILT_AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def large(demo_shop, embedder, needs):
    return build_snapshot(demo_shop, embedder=embedder, needs=needs, now=BUILT_AT, exact_up_to=100)


@pytest.fixture(scope="module")
def published(large, embedder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    publish(large, folder, embedder=embedder)
    return load_current(folder, embedder=embedder)


def test_the_kind_follows_the_size_and_the_recall_is_in_the_manifest(demo_snapshot, published):
    assert demo_snapshot.manifest.recall is None
    assert isinstance(published.key_vectors, ApproximateIndex)
    assert published.manifest.recall is not None
    assert 0.98 <= published.manifest.recall <= 1
    assert "base/vectors.rows.npy" in published.manifest.files


def test_need_distributions_are_those_of_a_small_shop_within_a_step_of_a_byte(demo_snapshot, published):
    rows = np.arange(len(demo_snapshot.keys))

    assert np.abs(published.key_needs.vectors(rows) - demo_snapshot.key_needs.vectors(rows)).max() <= ROUNDED + 1e-6


def test_the_answers_are_those_of_a_small_shop(demo_suggester, published, models):
    chats, _ = read_chats(STORES / "demo" / "chats" / "dev.jsonl", root=STORES / "demo")
    large = suggester_of(published, models)

    same = 0
    for chat in chats[:60]:
        before, after = (one.suggest(request_of(chat), now=chat.now, request_id="r") for one in (demo_suggester, large))
        same += [one.reply_id for one in before.suggestions[:1]] == [one.reply_id for one in after.suggestions[:1]]
    assert same >= 55


def test_an_index_that_finds_too_little_is_refused(large, embedder):
    check_findable(large, embedder)

    with pytest.raises(SnapshotRefused, match=r"finds 97.0% of the 50 nearest keys, at least 98% are wanted"):
        check_findable(replace(large, manifest=replace(large.manifest, recall=0.97)), embedder)


def test_a_table_of_something_else_is_refused(tmp_path: Path):
    np.save(tmp_path / "rows.npy", np.zeros((2, 2)))

    with pytest.raises(SnapshotIncompatible, match="a table of bytes"):
        ByteRows.read(tmp_path / "rows.npy")


def test_keys_made_when_asked_for_are_those_made_at_once(demo_snapshot):
    every = reply_keys(demo_snapshot.shop.replies)

    assert demo_snapshot.keys == every
    assert demo_snapshot.keys[-1] == every[-1]
    assert demo_snapshot.keys[10:13] == every[10:13]
    assert [row for row, key in enumerate(every) if key.is_trigger] == np.flatnonzero(demo_snapshot.key_is_trigger).tolist()
    with pytest.raises(IndexError):
        demo_snapshot.keys[len(every)]


def test_a_large_shop_is_searched_as_a_small_one(demo_snapshot, published, embedder):
    for words in ("退货运费谁出", "怎么开发票", "手机防水吗"):
        small, large = (search(one, embedder, Wanted(words, BUILT_AT.date(), kind="reply"), limit=5) for one in (demo_snapshot, published))

        assert [one.reply.reply_id for one in large.results] == [one.reply.reply_id for one in small.results]
