"""What a shop's chats taught, against votes counted one by one."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from indexes.cases import Case, CaseIndex, cases_of
from indexes.lexical_index import lexical_terms
from knowledge.accepted import AcceptedSuggestion
from knowledge.chats import LabelledChat
from knowledge.conversation import readings
from tests.fakes import DIMENSION, FakeEmbedder

WORDS = "发票 快递 退货 抬头 没动 怎么 几天 包裹 申请 重开 运费 地址 颜色 尺码".split()
REPLY_IDS = tuple(f"reply-{number}" for number in range(8))


def chat(name: str, message: str = "发票抬头写错了", *, history: Sequence[tuple[str, str]] = (), tags: Sequence[str] = (), **labels: Any) -> LabelledChat:
    return LabelledChat.model_validate(
        {
            "id": name, "store": "tiny", "now": "2026-11-21T10:00:00+08:00", "message": message, "labels": labels | {"tags": tags},
            "history": [{"role": role, "text": text} for role, text in history],
        }
    )  # fmt: skip


def accepted(message: str, reply_id: str) -> AcceptedSuggestion:
    return AcceptedSuggestion(message=message, reply_id=reply_id)


def vector_of(text: str) -> npt.NDArray[np.float32]:
    return FakeEmbedder().encode_query([text])


def made_up(n: int = 40) -> list[Case]:
    rng = random.Random(4)
    return [
        Case(
            f"talk-{number // 2}",
            "".join(rng.sample(WORDS, k=3)),
            {reply: rng.choice([1.0, 0.6]) for reply in rng.sample([*REPLY_IDS, "gone"], k=rng.choice([1, 2, 3]))},
        )
        for number in range(n)
    ]


def index_of(cases: Sequence[Case]) -> CaseIndex:
    return CaseIndex.build(cases, REPLY_IDS, FakeEmbedder())


def counted(cases: Sequence[Case], text: str, *, left_out: Sequence[str] = ()) -> list[float]:
    """By brute force: the loudest vote of each reply, vote by vote."""
    loudest: Mapping[str, list[float]] = {reply: [0.0] for reply in REPLY_IDS}
    for case in cases:
        cosine = float(vector_of(text)[0] @ vector_of(case.text)[0])
        for reply, weight in case.votes.items():
            if reply in loudest and case.conversation not in left_out:
                loudest[reply].append(cosine * weight)
    return [max(votes) for votes in loudest.values()]


# ---- which chats teach -------------------------------------------------------------------------------------------------------


def test_the_best_reply_has_a_whole_vote_and_an_acceptable_one_a_share():
    assert cases_of([chat("one", replies={"reply-1": 2, "reply-2": 1})]) == [Case("one", "发票抬头写错了", {"reply-1": 1.0, "reply-2": 0.6})]


def test_a_chat_of_two_questions_teaches_nothing():
    """Its replies answer one half or the other: which, its text as a whole does not tell."""
    assert cases_of([chat("one", replies={"reply-1": 2}, questions=[{"reply-1": 2}, {"reply-2": 2}])]) == []


def test_a_chat_that_no_reply_answers_teaches_nothing():
    assert cases_of([chat("one", answerable=False), chat("two")]) == []


def test_a_message_is_compared_with_what_was_said_before_it():
    history = [("customer", "我要开发票"), ("agent", "抬头写什么？")]

    [case] = cases_of([chat("one", "写公司的", history=history, replies={"reply-1": 2})])

    assert case.text == readings("写公司的", chat("one", history=history).history)[-1]
    assert set(lexical_terms(case.text)) >= {"发票", "抬头", "公司"}


def test_chats_that_differ_in_their_order_alone_are_one_conversation():
    cases = cases_of([chat(name, replies={"reply-1": 2}, tags=["contrast/late"]) for name in ("one", "two")])

    assert [case.conversation for case in cases] == ["late", "late"]


def test_what_agents_sent_is_a_whole_vote_after_the_chats():
    cases = cases_of([chat("one", replies={"reply-1": 1})], [accepted("快递没动", "reply-3"), accepted("怎么退货", "reply-4")])

    assert [(case.conversation, case.text, case.votes) for case in cases[1:]] == [
        ("accepted/0", "快递没动", {"reply-3": 1.0}),
        ("accepted/1", "怎么退货", {"reply-4": 1.0}),
    ]


# ---- votes -------------------------------------------------------------------------------------------------------------------


def test_votes_equal_votes_counted_one_by_one():
    cases, rng = made_up(), random.Random(5)
    index = index_of(cases)

    for text in ["".join(rng.sample(WORDS, k=rng.choice([1, 2, 3]))) for _ in range(50)]:
        votes = index.votes(vector_of(text), len(REPLY_IDS))
        assert votes.dtype == np.float32
        assert votes == pytest.approx(counted(cases, text), abs=1e-6)


def test_a_message_said_again_votes_with_the_weight_of_its_reply():
    index = index_of([Case("one", "发票抬头", {"reply-0": 1.0, "reply-1": 0.6})])

    assert index.votes(vector_of("发票抬头"), len(REPLY_IDS)) == pytest.approx([1.0, 0.6] + [0.0] * 6)


def test_a_sure_vote_from_afar_may_be_quieter_than_a_near_half_one():
    cases = [Case("near", "发票抬头", {"reply-0": 0.6}), Case("far", "发票快递包裹运费地址颜色尺码申请没动", {"reply-0": 1.0})]
    far = float(vector_of("发票抬头")[0] @ vector_of("发票快递包裹运费地址颜色尺码申请没动")[0])

    votes = index_of(cases).votes(vector_of("发票抬头"), len(REPLY_IDS))

    assert 0 < far < 0.6
    assert votes[0] == pytest.approx(0.6)
    assert index_of(cases).votes(vector_of("发票抬头"), len(REPLY_IDS), left_out={"near"})[0] == pytest.approx(far)


def test_a_reply_nobody_voted_for_has_no_vote():
    votes = index_of([Case("one", "发票抬头", {"reply-5": 1.0})]).votes(vector_of("发票抬头"), len(REPLY_IDS))

    assert np.flatnonzero(votes).tolist() == [5]


def test_a_conversation_left_out_is_silent_in_all_its_turns():
    cases, text = made_up(), "发票抬头重开"
    names = ["talk-3", "talk-7", "no such talk"]
    index = index_of(cases)

    votes = index.votes(vector_of(text), len(REPLY_IDS), left_out=names)

    assert votes == pytest.approx(counted(cases, text, left_out=names), abs=1e-6)
    assert not index.votes(vector_of(text), len(REPLY_IDS), left_out=index.conversations).any()


def test_leaving_a_conversation_out_of_one_question_leaves_it_in_the_next():
    index, asked = index_of(made_up()), vector_of("发票抬头重开")
    before = index.votes(asked, len(REPLY_IDS))

    index.votes(asked, len(REPLY_IDS), left_out=index.conversations)

    assert index.votes(asked, len(REPLY_IDS)).tobytes() == before.tobytes()


def test_votes_for_replies_that_are_no_longer_there_are_dropped():
    cases = [Case("one", "发票抬头", {"gone": 1.0, "reply-2": 0.6}), Case("two", "快递没动", {"gone": 1.0})]
    index = index_of(cases)

    assert len(index) == 2
    assert index.vote_replies.tolist() == [2]
    assert index.votes(vector_of("发票抬头"), len(REPLY_IDS)) == pytest.approx([0, 0, 0.6, 0, 0, 0, 0, 0])


def test_a_message_without_words_hears_no_vote():
    assert not index_of(made_up()).votes(vector_of("？？"), len(REPLY_IDS)).any()


@pytest.mark.parametrize("cases", [[], [Case("one", "发票抬头", {"gone": 1.0})]], ids=["no cases", "no votes"])
def test_a_shop_without_votes_hears_none(cases: list[Case], tmp_path: Path):
    index = index_of(cases)
    index.write(tmp_path / "cases")

    for one in (index, CaseIndex.read(tmp_path / "cases")):
        assert len(one) == len(cases)
        assert one.vectors.dimension == DIMENSION
        assert one.votes(vector_of("发票抬头"), len(REPLY_IDS), left_out={"one"}).tolist() == [0.0] * len(REPLY_IDS)


# ---- files -------------------------------------------------------------------------------------------------------------------


def test_an_index_read_back_votes_alike(tmp_path: Path):
    index = index_of(made_up())
    index.write(tmp_path / "cases")
    read = CaseIndex.read(tmp_path / "cases")

    assert read.conversations == index.conversations
    assert read.vectors.matrix.tobytes() == index.vectors.matrix.tobytes()
    for name in ("vote_cases", "vote_replies", "vote_weights"):
        written, back = getattr(index, name), getattr(read, name)
        assert (back.dtype, back.tobytes()) == (written.dtype, written.tobytes())
    for text in WORDS:
        assert read.votes(vector_of(text), len(REPLY_IDS)).tobytes() == index.votes(vector_of(text), len(REPLY_IDS)).tobytes()


def test_no_words_of_a_customer_are_written(tmp_path: Path):
    """Not as text, not in escapes, in no file, whatever its format: vectors, reply rows and conversation names are all that is kept."""
    said = "张伟的电话13800138000怎么没动静"
    history = [("customer", "地址是栗子湾路八号"), ("agent", "稍等")]
    cases = cases_of([chat("one", said, history=history, replies={"reply-1": 2})], [accepted("李雷要重开发票", "reply-2")])
    index_of(cases).write(tmp_path)

    secret = {term for case in cases for term in lexical_terms(case.text) if len(term) > 1}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"张伟", "13800138000", "栗子", "李雷"} <= secret
    assert sorted(path.name for path in files) == ["cases.faiss", "cases.json"]
    for path in files:
        content = path.read_bytes()
        for term in secret:
            written = [term.encode("utf-8"), term.encode("utf-16-le"), term.encode("gb18030")] if len(term.encode()) > 3 else []
            escaped = term.encode("unicode_escape")
            assert not [form for form in (*written, escaped) if form in content], f"{term} in {path.name}"
