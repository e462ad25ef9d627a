import numpy as np
import pytest

from knowledge.order_context import Turn
from knowledge.shop import Shop
from suggest.live import Models
from suggest.questions import pieces_of
from suggest.understanding import Understanding

REFUND_TALK = (Turn(role="customer", text="退款什么时候到账"), Turn(role="agent", text="审核通过后原路退回"))
DELIVERY_TALK = (Turn(role="customer", text="快递到哪里了"), Turn(role="agent", text="包裹已经在路上，单号发您了"))


@pytest.fixture(scope="module")
def hear(models: Models, demo_shop: Shop):
    catalogue = demo_shop.catalogue()

    def understand(message: str, history: tuple[Turn, ...] = ()) -> Understanding:
        return models.reader.understand(message, history, catalogue, signs=())

    return understand


def top(understanding: Understanding) -> str:
    return max(understanding.scenarios, key=lambda name: understanding.scenarios[name])


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        pytest.param("快递到哪了？发票怎么开", ["快递到哪了", "发票怎么开"], id="question mark"),
        pytest.param("没收到货，另外发票怎么开", ["没收到货", "发票怎么开"], id="另外"),
        pytest.param("衣服什么时候发货，顺便问下能改地址吗", ["衣服什么时候发货", "能改地址吗"], id="顺便问下"),
        pytest.param("退款什么时候到对了发票抬头能改吗", ["退款什么时候到", "发票抬头能改吗"], id="对了 without a comma"),
        pytest.param("羽绒服怎么洗，还有运动鞋怎么洗", ["羽绒服怎么洗", "运动鞋怎么洗"], id="还有 as a connective"),
        pytest.param("羽绒服掉色吗？还有货吗", ["羽绒服掉色吗", "还有货吗"], id="还有 as a verb"),
        pytest.param("什么时候发货？还有没有优惠", ["什么时候发货", "还有没有优惠"], id="还有没有 keeps its meaning"),
        pytest.param("where is my order and how do i return it", ["where is my order", "how do i return it"], id="English and how"),
        pytest.param("is it in stock? also can i get an invoice", ["is it in stock", "can i get an invoice"], id="English also"),
        pytest.param("怎么还不发货", ["怎么还不发货"], id="one clause"),
        pytest.param("怎么还不发货？怎么还不发货", ["怎么还不发货"], id="said twice"),
        pytest.param("😀！？", [], id="no words"),
    ],
)
def test_pieces_are_what_may_each_ask_something(text: str, clauses: list[str]) -> None:
    assert clauses == [piece.text for piece in pieces_of(text)]


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        pytest.param("快递到哪了？另外发票怎么开", [("快递到哪了", "logistics.track"), ("发票怎么开", "invoice")], id="track and invoice"),
        pytest.param("什么时候发货？还有可以改地址吗", [("什么时候发货", "order.expedite"), ("可以改地址吗", "order.modify")], id="expedite and address"),
        pytest.param(
            "Where is my order? Also how do I return the jacket?",
            [("where is my order", "logistics.track"), ("how do i return the jacket", "return.no_reason")],
            id="English",
        ),
    ],
)
def test_understand_finds_separate_questions_in_the_order_asked(hear, message: str, questions: list[tuple[str, str]]) -> None:
    found = [(question.text, top(question)) for question in hear(message).questions]

    assert questions == found


@pytest.mark.parametrize("message", ["怎么还不发货", "你好，发票怎么开？谢谢", "怎么还不发货？到底什么时候发货"])
def test_understand_does_not_divide_one_matter(hear, message: str) -> None:
    assert () == hear(message).questions


def test_understand_history_completes_a_short_message(hear) -> None:
    refund, delivery = hear("那要几天", REFUND_TALK), hear("那要几天", DELIVERY_TALK)

    assert "refund.timing" == top(refund)
    assert top(delivery).startswith("logistics.")
    assert [
        "那要几天", "退款什么时候到账 那要几天", "审核通过后原路退回 那要几天", "退款什么时候到账 审核通过后原路退回 那要几天",
    ] == [reading.text for reading in refund.readings]  # fmt: skip


def test_understand_leans_on_history_the_less_the_more_is_said(hear) -> None:
    leans = [hear(message, REFUND_TALK).lean_on_history for message in ("那要几天", "那羽绒服洗了以后掉色严重怎么处理，能给我换一件吗")]

    assert 0 < leans[1] < leans[0] < 1
    assert 0 == hear("那要几天").lean_on_history


def test_understand_scenarios_are_a_distribution(hear) -> None:
    scenarios = hear("衣服大了想换小一码", REFUND_TALK).scenarios

    assert pytest.approx(1, abs=1e-4) == sum(scenarios.values())
    assert all(0 <= probability <= 1 for probability in scenarios.values())


@pytest.mark.parametrize("message", ["气死我了，你们什么垃圾店铺", "太过分了，再也不买了", "骗子！退钱！一群废物", "I'm furious, this is unacceptable"])
def test_understand_hears_an_upset_customer(hear, message: str) -> None:
    assert hear(message).upset > 0.5


@pytest.mark.parametrize("message", ["请问有货吗", "好的谢谢", "这件羽绒服怎么洗", "What sizes do you have", "How do I wash this jacket?"])
def test_understand_hears_a_calm_customer(hear, message: str) -> None:
    heard = hear(message)

    assert "calm" == heard.emotion
    assert heard.upset < 0.5


@pytest.mark.parametrize("message", ["再不处理我就打12315投诉你们", "不处理就给差评", "我要报警", "找律师起诉你们", "I will report you to the BBB"])
def test_understand_hears_a_threat(hear, message: str) -> None:
    assert hear(message).threat > 0.5
    assert hear(message).condition_facts()["threatens"] is True


@pytest.mark.parametrize("message", ["请问有货吗", "怎么还不发货啊，急死了", "气死我了，你们什么垃圾店铺", "Where is my order?"])
def test_understand_hears_no_threat_where_none_is(hear, message: str) -> None:
    assert hear(message).threat < 0.5
    assert hear(message).condition_facts()["threatens"] is False


def test_condition_facts_of_an_unsure_prediction_are_unknown(hear) -> None:
    unsure = Understanding(
        readings=hear("在吗").readings, lean_on_history=0, scenarios={"invoice": 0.5, "exchange": 0.5},
        emotions={"calm": 0.5, "upset": 0.5}, threat=0.5, language="zh", products=(),
        shares=np.ones(1, dtype=np.float32), mixed_needs=np.zeros(1, dtype=np.float32),
        scenarios_of_message={}, scenarios_heard={},
    )  # fmt: skip

    assert {} == unsure.condition_facts()


@pytest.mark.parametrize("message", ["😀😀", "👍", "？？？", "[微笑]", "……"])
def test_understand_finds_no_words_in_signs_alone(hear, message: str) -> None:
    assert hear(message).readings[0].has_words is False


@pytest.mark.parametrize(("message", "language"), [("還沒收到", "zh"), ("Where is my order?", "en"), ("X5有货吗", "zh"), ("😀", "zh")])
def test_understand_names_the_language(hear, message: str, language: str) -> None:
    assert language == hear(message).language


def test_understand_hears_traditional_as_simplified(hear) -> None:
    traditional, simplified = hear("請問運費要自己出嗎"), hear("请问运费要自己出吗")

    assert simplified.text == traditional.text
    assert simplified.scenarios == traditional.scenarios


def test_understand_names_the_product_spoken_of(hear) -> None:
    assert ("DG-004",) == hear("充电宝能带上飞机吗").products


@pytest.mark.parametrize(
    "message",
    ["do you have star shaped lights for my office", "which page of the forum shows the video", "i post photos of plants online, is this lamp bright enough"],
)
def test_an_english_word_alone_is_no_threat(hear, message: str) -> None:
    """Star, forum and post alone sound like one."""
    assert not hear(message).threatens
