from pathlib import Path

import pytest

from knowledge.errors import InvalidKnowledge, KnowledgeChanging
from knowledge.shop import Shop, load_shop
from knowledge.steady_reading import differing, file_digests, read_steadily
from tests.fakes import write_shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop")


def test_digests_are_of_contents_and_of_every_file_that_is_read(folder: Path):
    (folder / "notes.txt").write_text("not ours", encoding="utf-8")

    digests = file_digests(folder)

    assert set(digests) == {
        "store.toml", "articles/stalled.md", "articles/staff.md", "replies.jsonl", "products.jsonl", "sample_orders.jsonl", "sample_conversations.jsonl",
    }  # fmt: skip
    (folder / "store.toml").touch()
    assert file_digests(folder) == digests


def test_an_edit_between_two_files_is_read_again_as_a_whole(folder: Path):
    """Somebody saves an article after the first reading has passed it."""
    readings: list[str] = []

    def read() -> Shop:
        shop = load_shop(folder)
        readings.append(shop.articles[0].title)
        if len(readings) == 1:
            path = folder / "articles" / "staff.md"
            path.write_text(path.read_text(encoding="utf-8").replace("值班安排", "新的值班安排"), encoding="utf-8")
        return shop

    shop, digests = read_steadily(folder, read)

    assert readings == ["值班安排", "新的值班安排"]
    assert shop.articles[0].title == "新的值班安排"
    assert differing(digests, file_digests(folder)) == []


def test_a_half_saved_file_that_is_whole_the_second_time_is_no_bad_row(folder: Path):
    path = folder / "replies.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    times: list[int] = []

    def read() -> Shop:
        times.append(1)
        try:
            return load_shop(folder)
        finally:
            path.write_bytes(whole)

    assert len(read_steadily(folder, read)[0].replies) == 5
    assert len(times) == 2


def test_files_that_never_rest_are_named(folder: Path):
    path = folder / "replies.jsonl"

    def read() -> int:
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        return 1

    with pytest.raises(KnowledgeChanging, match=r"being changed while they are read \(replies\.jsonl\); run it again"):
        read_steadily(folder, read)


def test_a_file_that_stays_bad_is_bad(folder: Path):
    (folder / "replies.jsonl").write_text("{", encoding="utf-8")

    with pytest.raises(InvalidKnowledge):
        read_steadily(folder, lambda: load_shop(folder))


def test_what_came_and_what_went_differ():
    assert differing({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}) == ["a", "c", "d"]
