"""A small shop, a small bank and small models: characters for pieces, a random table, a classifier of three needs."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from indexes.adaptation import MAX_LOSS, MIN_LABELLED, Adaptation, Adapter
from indexes.adapted import CARD, AdaptedModels, find_adapted, write_adapted
from indexes.classifier import TextClassifier, ngram_codes, softmax
from indexes.crossvalidation import cross_validate
from indexes.embedder import BUNDLED_MODEL, StaticEmbedder, load_embedder
from indexes.errors import AdaptationRefused, AdaptationUnusable
from indexes.shop_pairs import Lessons, shop_pairs
from indexes.table_tuning import TableRecipe
from knowledge.accepted import AcceptedSuggestion, read_accepted
from knowledge.chats import LabelledChat
from knowledge.records import ProvenReply
from tests.fakes import write_classifier

DIMENSION = 32
BANK = {
    "invoice/lost": ("发票找不到了", "发票丢了怎么办", "开票记录没有了", "发票不见了"),
    "logistics.delay/stalled": ("快递不动了", "物流停了好几天", "包裹卡住不走", "快递停着"),
    "return.no_reason/how": ("怎么退货", "退货在哪里申请", "想退掉", "不要了怎么退"),
}
REPLIES = (
    ProvenReply(id="delay", scenario="logistics.delay", text="我去核实。", triggers=("快递三天没动了", "物流怎么一直不更新"), status="approved"),
    ProvenReply(id="invoice", scenario="invoice", text="发票可以补开。", triggers=("发票丢了", "开票记录没了"), status="approved"),
    ProvenReply(id="return", scenario="return.no_reason", text="点申请退货。", triggers=("蜗牛摆件怎么退", "退货申请在哪"), status="approved"),
)
ACCEPTED = tuple(AcceptedSuggestion(message=text, reply_id="delay") for text in ("快成蜗牛了吧", "蜗牛都爬到了", "跟蜗牛一样慢", "蜗牛啊蜗牛"))


def chat(number: int, message: str, scenario: str, reply_id: str, **labels: object) -> LabelledChat:
    fields = {"id": f"c{number}", "store": "tiny", "now": "2026-11-21T08:00:00Z", "message": message}
    return LabelledChat.model_validate({**fields, "labels": {"scenarios": [scenario], "replies": {reply_id: 2}, **labels}})


CHATS = tuple(chat(number, f"{'乌龟' * (1 + number % 3)}{number}", "logistics.delay", "delay") for number in range(MIN_LABELLED + 10))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `models/` to start from and `bank/`."""
    folder = tmp_path_factory.mktemp("small")
    said = "".join(
        [*(text for texts in BANK.values() for text in texts), *(t for reply in REPLIES for t in reply.triggers), "跟蜗牛一样慢快成了吧都爬到啊龟乌0123456789"]
    )
    tokenizer = Tokenizer(models.Unigram([("<pad>", 0.0), ("<unk>", -20.0), *((char, -5.0) for char in dict.fromkeys(said))], unk_id=1, byte_fallback=False))
    embedding = folder / "models" / BUNDLED_MODEL.name
    embedding.mkdir(parents=True)
    for name in ("modules.json", "config_sentence_transformers.json"):
        shutil.copyfile(BUNDLED_MODEL / name, embedding / name)
    tokenizer.save(str(embedding / "tokenizer.json"))
    table = np.random.default_rng(5).normal(scale=0.3, size=(tokenizer.get_vocab_size(), DIMENSION)).astype(np.float16)
    save_file({"embedding.weight": table}, str(embedding / "model.safetensors"))
    codes = {code: [0, 0, 0] for texts in BANK.values() for text in texts for code in ngram_codes(text)}
    for label, texts in enumerate(BANK.values()):
        for code in (code for text in texts for code in ngram_codes(text)):
            codes[code][label] = 20
    write_classifier(folder / "models" / "needs", labels=tuple(BANK), ngrams=codes, scale=0.1, dense=np.zeros((DIMENSION, 3)), bias=[0, 0, 0])
    rows = [{"need": need, "text": text, "writer": "t" if number == 3 else "a"} for need, texts in BANK.items() for number, text in enumerate(texts)]
    (folder / "bank").mkdir()
    (folder / "bank" / "needs.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    (folder / "bank" / "needs_en.jsonl").write_text("", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def adapter(small: Path) -> Adapter:
    return Adapter(small / "models", bank=small / "bank")


@pytest.fixture(scope="module")
def adaptation(adapter: Adapter) -> Adaptation:
    return adapter.adapt(Lessons(REPLIES, CHATS, ACCEPTED))


@pytest.fixture
def write(small: Path, adapter: Adapter, adaptation: Adaptation) -> Callable[[Path], AdaptedModels]:
    reads = small / "models" / BUNDLED_MODEL.name
    return lambda folder: write_adapted(folder, lambda staging: adapter.write(adaptation, staging), {"base": adapter.base}, reads=reads)


def nearest_reply(embedder: StaticEmbedder, message: str) -> str:
    keys = [(reply.id, trigger) for reply in REPLIES for trigger in reply.triggers]
    cosines = embedder.encode_document([trigger for _, trigger in keys]) @ embedder.encode_query([message])[0]
    return keys[int(cosines.argmax())][0]


def test_a_message_phrased_like_an_accepted_one_finds_that_reply_first(adapter: Adapter, write: Callable[[Path], AdaptedModels], tmp_path: Path):
    own = write(tmp_path / "tiny")

    assert nearest_reply(adapter.embedder, "跟蜗牛一样爬") == "return"
    assert nearest_reply(own.embedder, "跟蜗牛一样爬") == "delay"
    assert nearest_reply(own.embedder, "退货怎么申请") == "return"
    assert nearest_reply(own.embedder, "发票没了") == "invoice"


def test_a_message_of_the_shops_own_words_is_heard_as_its_scenario(small: Path, write: Callable[[Path], AdaptedModels], adapter: Adapter, tmp_path: Path):
    before = TextClassifier(small / "models" / "needs", adapter.embedder).probabilities(["乌龟"])[0]
    after = write(tmp_path / "tiny").needs.probabilities(["乌龟", "发票"])

    assert before == pytest.approx([1 / 3] * 3, abs=1e-6)
    assert after[0, 1] > 0.4
    assert after[1].argmax() == 0


def test_the_written_embedding_is_a_normal_folder_that_any_reader_reads(
    write: Callable[[Path], AdaptedModels], adaptation: Adaptation, adapter: Adapter, tmp_path: Path
):
    write(tmp_path / "tiny")

    embedder = load_embedder(str(tmp_path / "tiny" / "embedding"))

    expected = adapter.pieces.vectors(adaptation.table, ["快递不动了", "", "蜗牛"])
    assert np.allclose(expected, embedder.encode_document(["快递不动了", "", "蜗牛"]), atol=1e-5)


def test_features_times_layer_are_the_classifiers_logits(small: Path, adapter: Adapter):
    classifier = TextClassifier(small / "models" / "needs", adapter.embedder)
    texts = ["快递不动了", "乌龟", "", "发票丢了怎么办"]

    logits = adapter.layers.features(texts) @ adapter.layers.layer

    assert np.allclose(classifier.probabilities(texts), softmax(logits / adapter.layers.temperature), atol=1e-5)


def test_the_same_lessons_give_the_same_weights(adapter: Adapter, adaptation: Adaptation, small: Path):
    again = Adapter(small / "models", bank=small / "bank").adapt(Lessons(REPLIES, CHATS, ACCEPTED))

    assert np.array_equal(adaptation.table, again.table)
    assert np.array_equal(adaptation.layer, again.layer)
    assert adaptation.general == again.general
    assert not np.array_equal(adaptation.table, adapter.table)


def test_general_ability_is_kept_within_the_bound(adaptation: Adaptation):
    for ability in adaptation.general.values():
        assert ability is not None
        assert ability.n == 3
        assert ability.before - ability.after <= MAX_LOSS


def test_what_forgets_too_much_even_at_the_smallest_step_is_refused(small: Path):
    wild = Adapter(small / "models", bank=small / "bank", table_recipe=TableRecipe(learning_rate=5.0, scale=-20.0))

    with pytest.raises(AdaptationRefused, match="nothing was written") as raised:
        wild.adapt(Lessons(REPLIES, CHATS, ACCEPTED))

    assert (raised.value.model, raised.value.bound, raised.value.slug) == ("embedding", MAX_LOSS, "adaptation_refused")
    assert raised.value.before - raised.value.after > MAX_LOSS


def test_too_few_labelled_chats_leave_the_classifier_as_it_is_and_say_so(adapter: Adapter):
    adaptation = adapter.adapt(Lessons(REPLIES, CHATS[: MIN_LABELLED - 1], ACCEPTED))

    assert np.array_equal(adaptation.layer, adapter.layers.layer)
    assert adaptation.general["needs"] is None
    assert adaptation.notes == ("the need classifier stays as it is: 49 labelled chats stand alone, 50 are needed",)


# Pairs


def test_pairs_are_triggers_of_one_reply_and_messages_with_its_triggers():
    found = shop_pairs(
        Lessons(REPLIES[:2], (chat(1, "您好，还没动", "logistics.delay", "delay"),), (AcceptedSuggestion(message="票呢", reply_id="invoice"),)), seed=1
    )

    assert set(found.pairs) == {
        ("还没动", "快递三天没动了"), ("还没动", "物流怎么一直不更新"), ("票呢", "发票丢了"), ("票呢", "开票记录没了"),
        ("快递三天没动了", "物流怎么一直不更新"), ("发票丢了", "开票记录没了"),
    }  # fmt: skip
    assert found.counts == {"labelled": 2, "accepted": 2, "triggers": 2}
    assert found.replies["还没动"] == {"delay"}


def test_one_message_with_another_reply_for_another_order_belongs_to_both():
    chats = (chat(1, "还没到", "logistics.delay", "delay"), chat(2, "还没到", "return.no_reason", "return"))

    assert shop_pairs(Lessons(REPLIES, chats), seed=1).replies["还没到"] == {"delay", "return"}


def test_the_cap_keeps_labelled_and_accepted_messages_first():
    found = shop_pairs(Lessons(REPLIES, CHATS[:2], ACCEPTED), seed=1, most=8)

    assert len(found.pairs) == 8
    assert {one for one, _ in found.pairs} == {"乌龟0", "乌龟乌龟1"} | ({one for one, _ in found.pairs} & {one.message for one in ACCEPTED})


@pytest.mark.parametrize("labels", [{"answerable": False}, {"questions": [{"delay": 2}, {"return": 2}]}], ids=["unanswerable", "two questions"])
def test_a_message_that_no_single_reply_answers_teaches_nothing(labels: dict[str, object]):
    assert shop_pairs(Lessons(REPLIES, (chat(1, "还没动", "logistics.delay", "delay", **labels),)), seed=1).counts["labelled"] == 0


def test_left_out_are_the_conversation_and_whatever_says_the_same():
    one, twin, same, other = (chat(number, text, "logistics.delay", "delay", tags=tags) for number, text, tags in (
        (1, "还没动", ["contrast/a"]), (2, "换句话", ["contrast/a"]), (3, "您好，还没动", []), (4, "乌龟", []))
    )  # fmt: skip
    lessons = Lessons(REPLIES, (one, twin, same, other), (AcceptedSuggestion(message="还没动", reply_id="delay"),))

    rest = lessons.without(["还没动"], ["a"])

    assert (rest.chats, rest.accepted, rest.replies) == ((other,), (), REPLIES)


def test_cross_validation_judges_every_chat_once_by_models_that_never_saw_it(adapter: Adapter):
    """Only one chat says it so: what would be learnt from it must not help it."""
    alone = chat(99, "跟蜗牛一样爬", "logistics.delay", "delay")
    judged = (*CHATS[:9], alone)

    taught = cross_validate(adapter, Lessons(REPLIES, CHATS, ACCEPTED), judged, folds=2)
    untaught = cross_validate(adapter, Lessons(REPLIES, judged), judged, folds=5)

    assert [one.conversation for one in taught] == [one.id for one in judged]
    assert (taught[-1].before["recall@1"], taught[-1].after["recall@1"]) == (0.0, 1.0)
    assert untaught[-1].after["recall@1"] == 0.0
    assert taught[-1].before["recall@10"] == 1.0


# On disk


def test_what_is_written_is_found_again_for_the_same_base(write: Callable[[Path], AdaptedModels], adapter: Adapter, small: Path, tmp_path: Path):
    written = write(tmp_path / "tiny")

    found = find_adapted(tmp_path / "tiny", base=adapter.base, reads=small / "models" / BUNDLED_MODEL.name)

    assert found is not None
    assert (found.ids, found.base) == (written.ids, adapter.base)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]
    assert find_adapted(tmp_path / "other", base=adapter.base) is None


def test_models_tuned_from_others_than_the_present_ones_are_not_used(write: Callable[[Path], AdaptedModels], adapter: Adapter, tmp_path: Path):
    write(tmp_path / "tiny")

    with pytest.raises(AdaptationUnusable, match=r"run `python -m scripts\.adapt` again"):
        find_adapted(tmp_path / "tiny", base={**adapter.base, "needs": "needs@fitted-again"})


@pytest.mark.parametrize("name", [CARD, "embedding/model.safetensors", "embedding/tokenizer.json", "needs/labels.json", "needs/model.safetensors"])
def test_a_damaged_file_is_found(write: Callable[[Path], AdaptedModels], adapter: Adapter, small: Path, tmp_path: Path, name: str):
    write(tmp_path / "tiny")
    path = tmp_path / "tiny" / name
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(AdaptationUnusable, match="damaged"):
        find_adapted(tmp_path / "tiny", base=adapter.base, reads=small / "models" / BUNDLED_MODEL.name)


def test_a_failure_while_writing_leaves_the_old_models_and_nothing_else(write: Callable[[Path], AdaptedModels], adapter: Adapter, small: Path, tmp_path: Path):
    def full_disk(staging: Path) -> None:
        (staging / "embedding").mkdir()
        raise OSError(28, "No space left on device")

    old = write(tmp_path / "tiny")
    for name in ("tiny", "new"):
        with pytest.raises(OSError, match="No space left"):
            write_adapted(tmp_path / name, full_disk, {"base": adapter.base})

    found = find_adapted(tmp_path / "tiny", base=adapter.base, reads=small / "models" / BUNDLED_MODEL.name)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    assert found is not None
    assert found.ids == old.ids


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failure_between_the_two_renames_brings_the_old_models_back(
    write: Callable[[Path], AdaptedModels], adapter: Adapter, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
):
    old = write(tmp_path / "tiny")
    rename, calls = Path.rename, []

    def fails_once(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fails_once)
        with pytest.raises(OSError, match="Input/output"):
            write(tmp_path / "tiny")

    found = find_adapted(tmp_path / "tiny", base=adapter.base, reads=small / "models" / BUNDLED_MODEL.name)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    assert found is not None
    assert found.ids == old.ids


def test_accepted_suggestions_are_read_and_bad_lines_named(tmp_path: Path):
    path = tmp_path / "accepted.jsonl"
    path.write_text('{"message": "还没动", "reply_id": "delay"}\n{"message": "票呢"}\n', encoding="utf-8")

    found, bad = read_accepted(path)

    assert found == [AcceptedSuggestion(message="还没动", reply_id="delay")]
    assert [(row.path, row.line, row.field) for row in bad] == [("accepted.jsonl", 2, "reply_id")]


def test_reports_hold_plain_numbers(adaptation: Adaptation):
    assert json.loads(json.dumps({name: dataclasses.asdict(one) for name, one in adaptation.general.items() if one}))["embedding"]["step"] in (1.0, 0.5, 0.25)
