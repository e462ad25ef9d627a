"""What an agent asked for or offered and the customer has just given: asked for no second time, taken up or left to the agent."""

import pytest

from knowledge.order_context import Order, Turn
from knowledge.records import Store
from suggest.answered import answered_in
from suggest.contract import SuggestionRequest
from suggest.pipeline import Suggester
from suggest.reasons import abstention
from tests.suggest.drafted import ENGLISH, NOW, STORE, candidate, draft, heard, reply


def after(agent: str, *customer: str) -> tuple[Turn, ...]:
    return (Turn(role="customer", text="在吗"), Turn(role="agent", text=agent), *(Turn(role="customer", text=text) for text in customer))


@pytest.mark.parametrize(
    ("agent", "message", "names"),
    [
        pytest.param("麻烦把冰箱送货的新地址发我一下", "广州市天河区体育东路12号3栋502", ("地址",), id="address"),
        pytest.param("请留个电话，我让师傅跟您联系", "13912345678 随时", ("电话",), id="phone"),
        pytest.param("主管下午给您回电，您几点方便接电话？", "六点以后吧", ("回电的时间或号码",), id="call back"),
        pytest.param("请拍一下奶粉罐底的批次", "拍好了", ("照片或视频",), id="photo"),
        pytest.param("麻煩拍張照片給我", "[图片]", ("照片或视频",), id="the picture itself, asked in Traditional"),
        pytest.param("还没发货，同价的颜色我直接给您换，您想要哪个呢", "雾蓝那个", ("款式、颜色或尺寸",), id="color, asked in the last step"),
        pytest.param("您告诉我订单号，我查一下", "20261109001233", ("单号",), id="order number"),
        pytest.param("运动鞋要换什么尺码呢？", "42码", ("款式、颜色或尺寸",), id="size"),
        pytest.param("跑鞋要换什么尺码呢？", "換L碼", ("款式、颜色或尺寸",), id="size beside other characters"),
        pytest.param("窗帘想要哪个颜色呢", "米白那款", ("款式、颜色或尺寸",), id="color"),
        pytest.param("您先问问物业和邻居有没有代收", "都说没有", ("找过、问过了",), id="looked"),
        pytest.param("您先问下家里人有没有代拿", "跟我妈说了她也不知道", ("找过、问过了",), id="asked at home"),
        pytest.param("请把发票抬头和税号发我", "抬头：宁波海曙第二小学 税号12330203419xxxxx1A", ("抬头或税号",), id="invoice"),
        pytest.param("需要我帮您改约到周日吗？", "嗯嗯，麻烦您了", ("同意",), id="agreed"),
        pytest.param("猫几个月大了？我帮您选粮", "刚满三个月", ("给谁用、多大、预算",), id="age"),
        pytest.param("可以补寄配件，也可以给您换一台新的，您看？", "补寄就行", ("补发",), id="choice"),
        pytest.param("商品破损给您补偿20元留用，或者退货退款，由您选", "第二种", ("退款",), id="the second"),
        pytest.param("戒指刻字您要刻内圈还是外圈？", "内圈吧", ("内圈",), id="words of their own"),
        pytest.param("Could you send me a photo of the cracked pot?", "just sent it", ("photos or a video",), id="photo, English"),
        pytest.param("What's the new address?", "14 Elm Street, Leeds LS6 2AB", ("the address",), id="address, English"),
        pytest.param("Which size would you like instead?", "the large please", ("the size, color or model",), id="size, English"),
        pytest.param("We can send a replacement or refund you in full.", "refund please", ("a refund",), id="choice, English"),
    ],
)
def test_an_answer_is_heard(agent: str, message: str, names: tuple[str, ...]) -> None:
    answered = answered_in(after(agent), message)

    assert set(names) <= set(answered.names(english=agent.isascii()))


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        pytest.param("请拍一下破损处的照片", "还没拍呢，晚点发", id="photo to come"),
        pytest.param("您先问问家人和门卫有没有代收", "我问我妈再说", id="will ask at home"),
        pytest.param("您先问问家人和门卫有没有代收", "我老婆不在家，晚上回来我问问", id="will ask tonight"),
        pytest.param("您先问问家人和门卫有没有代收", "妈的也太坑了吧", id="a curse is no mother"),
        pytest.param("请拍一下破损处的照片", "拍哪里？", id="asks back"),
        pytest.param("请把新地址发我", "改到公司可以吗", id="no address yet"),
        pytest.param("可以补发也可以退款，您选哪个？", "补发要多久？", id="a question about one"),
        pytest.param("可以补发也可以退款，您选哪个？", "都行，你看着办", id="either"),
        pytest.param("可以补发也可以退款，您选哪个？", "不要补发", id="declined"),
        pytest.param("可以补发也可以退款，您选哪个？", "你们上次也是说给我退款结果拖了半个月都没有到账", id="mentioned in passing"),
        pytest.param("退款1到3天到账，请留意", "好的退款我等等", id="nothing was offered"),
        pytest.param("照片已经收到了，正在审核", "发了好几天了", id="nothing was asked for"),
        pytest.param("我把您的单号报给仓库了", "20261109001233", id="the agent acts"),
        pytest.param("冷链已发出，日期和地址都改不了", "体育东路12号", id="no address is asked for"),
        pytest.param("主管30分钟内致电您的订单电话。", "13912345678", id="the agent calls"),
        pytest.param("我马上核实卡在审核还是上门，2小时内回您。", "上门", id="a doubt of the agent's, no choice"),
        pytest.param("You can save or forward the PDF.", "forward", id="no choice either, English"),
        pytest.param("Please check with your neighbours.", "not yet, will look tonight", id="to come, English"),
        pytest.param("We can replace it or refund you.", "how long does a refund take?", id="a question, English"),
    ],
)
def test_what_does_not_answer_is_not_taken_for_an_answer(agent: str, message: str) -> None:
    assert not answered_in(after(agent), message)


def test_an_answer_counts_from_the_agents_last_turn_on() -> None:
    history = after("麻烦拍张洗碗机铭牌的照片", "[图片]")

    assert answered_in(history, "然后呢")
    assert not answered_in((*history, Turn(role="agent", text="收到，稍等")), "然后呢")
    assert not answered_in((Turn(role="customer", text="照片发了"),), "然后呢")
    assert not answered_in((), "照片发了")


def test_a_choice_may_have_been_offered_one_exchange_earlier() -> None:
    history = (*after("这款断货了，可以给您换同价的，也可以全额退款", "我想想"), Turn(role="agent", text="好的，您看想怎么处理"))

    assert ("换货",) == answered_in(history, "第一个吧").names(english=False)


TAKEN_UP = [
    pytest.param(
        STORE, "请拍一下漏液的地方", "拍好发过去了",
        {"information": "核实后48小时内补寄一瓶。", "action": "请拍外箱和漏液处各一张，我收到就登记。"}, "核实后48小时内补寄一瓶。我收到就登记。", id="photo",
    ),
    pytest.param(
        STORE, "您拍三张发我", "好几个角度都拍了",
        {"information": "漏液我们负责。", "action": "您拍三张：外箱、瓶子、漏的地方，发来我今天就给您办补发。"}, "漏液我们负责。我今天就给您办补发。",
        id="the sending goes with the photo",
    ),
    pytest.param(
        STORE, "请把新的门牌发我", "南京市鼓楼区汉中路88号6栋201",
        {"information": "床垫还没装车，地址能改。", "action": "请把新地址和电话一次发全，我改好后把新地址念给您核对。"},
        "床垫还没装车，地址能改。我改好后把新地址念给您核对。", id="address; the step that reads it back stays",
    ),
    pytest.param(
        STORE, "您选补寄还是退款？", "退款吧",
        {"information": "茶具碎了我们负责，补寄或者退款由您选，不收运费。", "action": "您选好我马上提交；补寄的话请确认地址。"},
        "茶具碎了我们负责，不收运费。我马上提交。", id="choice",
    ),
    pytest.param(
        STORE, "可以补寄，也可以退款，您看呢", "补寄吧",
        {"information": "茶具碎了我们负责。", "action": "回我「补寄」或「退款」：补寄24小时内发出，退款原路退回。"},
        "茶具碎了我们负责。补寄24小时内发出。", id="only the road that was taken",
    ),
    pytest.param(
        STORE, "补发或者退款，您看？", "退款",
        {"information": "签收5天内的破损，补发一台，或者退款，都不收费。", "action": "我今天就提交。"},
        "签收5天内的破损，退款，都不收费。我今天就提交。", id="the rest of the sentence needs no «or»",
    ),
    pytest.param(
        STORE, "可以等补货优先发，也可以换同价商品，或者全额退款，您选哪个？", "那就退款吧",
        {"information": "可以等补货优先发，也可以换别的款，或者全额退款。", "action": "您想等、想换还是退款？告诉我，我马上办。"},
        "全额退款。我马上办。", id="one of three, waiting among them",
    ),
    pytest.param(
        STORE, "您想等、想换还是退款？", "换别的",
        {"information": "可以等补货优先发，也可以换别的款，或者全额退款。", "action": "您选好我马上办。"}, "可以换别的款。我马上办。", id="the second of three",
    ),
    pytest.param(
        STORE, "麻烦看看门口和驿站有没有代收", "都看过了没有", {"action": "麻烦先看看门口、驿站；都没有的话，我现在向快递核实。"},
        "我现在向快递核实。", id="an «if» that hung on the asking",
    ),
    pytest.param(
        STORE, "请拍照发我", "发了", {"information": "运费我们出。", "action": "请拍照发我，我核对后给您安排，您要哪个颜色？"},
        "运费我们出。我核对后给您安排，您要哪个颜色？", id="a question that stays is one",
    ),
    pytest.param(
        STORE, "请拍一段视频给我", "视频发了",
        {"information": "七天内可以换新。", "action": "您把视频和机身序列号发来，我现在提交。"},
        "七天内可以换新。您把视频和机身序列号发来，我现在提交。", id="the serial number is still wanted",
    ),
    pytest.param(
        STORE, "请发一下正确地址", "滨江花园3栋501，电话也改成我爸的",
        {"information": "还没打包。", "action": "请把新地址、电话发我，我马上改好。"}, "还没打包。请把新地址、电话发我，我马上改好。", id="named, not given",
    ),
    pytest.param(
        STORE, "请把新地址和订单号发我", "单号20261109001233",
        {"information": "还没打包。", "action": "请把新地址、订单号发我，我马上改好。"}, "还没打包。请把新地址、订单号发我，我马上改好。",
        id="the other half is missing",
    ),
    pytest.param(
        STORE, "孩子多大了？我帮您选", "五岁",
        {"information": "4–6岁选16寸。", "action": "您告诉我孩子多大、身高多少，我帮您定。"}, "4–6岁选16寸。我帮您定。", id="age",
    ),
    pytest.param(
        ENGLISH, "Would you like a replacement or a refund?", "a refund",
        {"information": "Choose a free replacement, sent first, or a full refund. It costs you nothing.", "action": "Tell me which and I'll start it now."},
        "It costs you nothing. I'll start it now.", id="choice, English",
    ),
    pytest.param(
        ENGLISH, "Please ask your neighbors and look around the door.", "asked, nothing",
        {"information": "It shows as delivered.", "action": "Please check the porch and ask the neighbors, and I'll call the carrier today."},
        "It shows as delivered. I'll call the carrier today.", id="looked, English",
    ),
    pytest.param(
        ENGLISH, "Please ask your neighbors.", "asked, nothing",
        {"information": "It was delivered; some drivers scan early.", "action": "Please ask your neighbors; if nobody has it, I'll call the carrier today."},
        "It was delivered; some drivers scan early. If nobody has it, I'll call the carrier today.", id="what stood behind a semicolon, English",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("store", "agent", "message", "parts", "text"), TAKEN_UP)
def test_a_draft_takes_the_answer_up(store: Store, agent: str, message: str, parts: dict[str, str], text: str) -> None:
    assert text == draft(reply(**parts), store=store, history=after(agent), message=message).text


LEFT_OUT = [
    pytest.param(
        "请看看驿站和邻居有没有代收", "看过了，没有", {"information": "显示昨天签收。", "action": "请看看门口、驿站和家人。"}, id="the same request",
    ),
    pytest.param(
        "请拍照发我，我来核对。", "发了", {"empathy": "给您添麻烦了。", "information": "少件可以补。", "action": "请拍照发我。"}, id="no next step left",
    ),
    pytest.param(
        "窗帘要改成什么颜色？", "灰色吧", {"information": "还没打包，收货地址可以改。", "action": "请把新地址发我，我马上改。"}, id="another matter",
    ),
    pytest.param(
        "下午给您回电，几点方便接电话？", "四点后", {"information": "送货时间由网点安排。", "action": "您告诉我方便的时间，我备注。"}, id="another appointment",
    ),
    pytest.param("请拍照发我。", "发了", {"information": "签收5天内可以退换。", "action": "请拍照发我。"}, id="a term is no next step"),
    pytest.param("请拍照发我，您想退还是换？", "图发了，换新的", {"action": "请拍照发我，您想退还是换？"}, id="neither the photo nor the choice"),
    pytest.param("您选重寄还是退款？", "退款", {"action": "重寄的话请把地址再确认一遍，我马上安排。"}, id="the road not taken"),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "message", "parts"), LEFT_OUT)
def test_a_draft_that_only_asks_again_is_none(agent: str, message: str, parts: dict[str, str]) -> None:
    assert draft(reply(**parts), history=after("x")).text
    assert "" == draft(reply(**parts), history=after(agent), message=message).text


def test_what_was_to_follow_the_answer_may_be_said_again_but_nothing_else_of_that_sentence() -> None:
    action = "请拍照发我，我来核对；同时我催一下快递。"

    assert "我来核对。" == draft(reply(action=action), history=after(action), message="拍好了").text


def test_a_gift_alone_is_no_draft_once_the_rest_was_said() -> None:
    parts = {"information": "今晚八点前发出这件。", "value": "给您补5元券。", "action": "我现在去催仓库。"}

    assert "" == draft(reply(**parts), history=after("今晚八点前发出这件。我现在去催仓库。")).text
    assert "给您补5元券。我现在去催仓库。" == draft(reply(**parts), history=after("今晚八点前发出这件。")).text


def test_an_address_may_still_be_asked_for_where_the_message_speaks_of_it() -> None:
    parts = {"information": "还没打包，收货地址可以改。", "action": "请把新地址发我，我马上改。"}

    assert draft(reply(**parts), history=after("窗帘要改成什么颜色？"), message="灰色，地址也要改").text


def test_the_agent_is_told_what_was_answered() -> None:
    silent = abstention(heard("calm"), [candidate(reply(text="x"))], 0.6, "zh-CN", answered=("补发",))

    assert ("already_said", "客户刚答了：补发；合适的话术只会再问一遍，请按回答接着往下处理") == (silent.reason, silent.message)


def test_a_draft_says_what_it_takes_up() -> None:
    assert ("退款",) == draft(reply(action="我马上提交。"), history=after("补寄还是退款？"), message="退款").answered
    assert () == draft(reply(action="我马上提交。"), history=after("补寄还是退款？"), message="有点慢").answered


def test_a_person_acts_on_an_answer_before_anything_goes_out(demo_suggester: Suggester) -> None:
    order = Order.model_validate({"status": "paid", "paid_at": "2026-11-21T08:00:00+08:00", "promised_ship_by": "2026-11-23T08:00:00+08:00"})
    history = (Turn(role="customer", text="地址填错了"), Turn(role="agent", text="还没拣货，可以改，请把新地址发给我"))
    request = SuggestionRequest(message="厦门市思明区湖滨南路88号5栋", history=history, order=order)

    first = demo_suggester.suggest(request, now=NOW, request_id="r").suggestions[0]

    assert first.scenario == "order.modify"
    assert "客户刚答了：地址" in first.why
    assert not first.auto_reply
    assert "发我" not in first.text
