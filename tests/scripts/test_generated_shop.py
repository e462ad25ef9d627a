"""Large shops for measuring: the same from the same seed, real files that load, and as varied as they should be."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge.needs_bank import read_phrasings
from knowledge.shop import load_shop
from scripts.generate_shop import app
from scripts.generated_shop import generated_shop, with_changes

DEMO = Path("knowledge/stores/demo")


@pytest.fixture(scope="module")
def demo():
    return load_shop(DEMO)


@pytest.fixture(scope="module")
def lines():
    return read_phrasings("zh")


def test_the_same_seed_gives_the_same_shop_and_another_seed_another(demo, lines):
    one, same, other = (generated_shop(demo, lines, n_replies=900, store_id="large", seed=seed) for seed in (3, 3, 4))

    assert one == same
    assert one != other
    assert len(one.replies) == 900
    assert {reply.id for reply in demo.replies} < {reply.id for reply in one.replies}


def test_a_larger_shop_asks_in_other_words_not_in_the_same_ones_again(demo, lines):
    shop = generated_shop(demo, lines, n_replies=2_000, store_id="large")

    triggers = [trigger for reply in shop.replies for trigger in reply.triggers]
    assert len(set(triggers)) > 0.9 * len(triggers)
    assert len({reply.information for reply in shop.replies}) > 1_000


def test_the_written_shop_is_read_back_the_same(demo, lines, tmp_path):
    done = CliRunner().invoke(app, ["--replies", "800", "--out", str(tmp_path / "large")])

    assert done.exit_code == 0, done.output
    read = load_shop(tmp_path / "large")
    made = generated_shop(demo, lines, n_replies=800, store_id="large")
    assert read.replies == made.replies
    assert read.products == made.products
    assert read.passages == made.passages
    assert '"store": "large"' in (tmp_path / "large" / "chats" / "test.jsonl").read_text(encoding="utf-8")


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    done = CliRunner().invoke(app, ["--replies", "800", "--out", str(tmp_path)])

    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_days_changes_touch_the_share_asked_for_and_nothing_else(demo, lines):
    after = with_changes(demo, lines, share=0.05, seed=1)

    before_by_id = {reply.id: reply for reply in demo.replies}
    changed = [reply for reply in after.replies if before_by_id.get(reply.id) != reply]
    gone = set(before_by_id) - {reply.id for reply in after.replies}
    assert 25 <= len(changed) + len(gone) <= 34
    assert after.articles == demo.articles


def test_fewer_replies_than_the_small_shop_has_are_refused(demo, lines):
    with pytest.raises(ValueError, match="at least 674"):
        generated_shop(demo, lines, n_replies=10, store_id="large")
