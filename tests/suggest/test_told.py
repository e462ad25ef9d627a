from dataclasses import replace

import pytest

from knowledge.normalise import match_form
from knowledge.order_context import Turn
from knowledge.told_rules import told_things
from suggest.late_promises import late_promises
from suggest.told import already_declined, already_told, own_words, without_asking_again, without_declined
from tests.suggest.drafted import heard


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        pytest.param("照片发了，然后呢", "请发破损处照片，我提交申请，24小时内审核。", "我提交申请，24小时内审核。", id="photos sent"),
        pytest.param(
            "视频已经发了", "您把故障视频和机身序列号发来，我现在提交。", "您把故障视频和机身序列号发来，我现在提交。", id="the serial number was not"
        ),
        pytest.param("图片发给你了", "请拍一段视频。", "请拍一段视频。", id="nothing would be left"),
        pytest.param("我170，130斤", "您把身高、体重发我，我马上给您定码。", "我马上给您定码。", id="height and weight"),
        pytest.param("周六能送吗，最好晚上", "您告诉我哪天哪个时段方便，我现在转给快递。", "我现在转给快递。", id="the day"),
        pytest.param("六楼没电梯", "您告诉我楼层和有没有电梯，我备注给司机。", "我备注给司机。", id="the floor"),
        pytest.param("如图，发错颜色了", "请发来外盒标签的照片，我核对后安排补发。", "我核对后安排补发。", id="as the picture shows"),
        pytest.param("你看照片，镜片是裂的", "请发破损处照片，我提交申请。", "我提交申请。", id="look at the photo"),
        pytest.param("看图片以为是真皮", "请发破损处照片，我提交申请。", "请发破损处照片，我提交申请。", id="the shop's own picture"),
        pytest.param("我还没下单呢，能改地址吗", "把订单号发我，我来查。", "我来查。", id="nothing was ordered"),
        pytest.param("买之前问下能开专票吗", "提交完把订单号给我，我看一眼。", "提交完把订单号给我，我看一眼。", id="the number that there will be"),
        pytest.param("没下单怎么收到快递", "把订单号发我，我来查。", "把订单号发我，我来查。", id="a parcel that came anyway"),
        pytest.param("还没发货呢", "请发破损处照片，我提交申请。", "请发破损处照片，我提交申请。", id="something else was told"),
        pytest.param("i've sent the photos", "Send me a photo, and I'll check today.", "I'll check today.", id="English"),
        pytest.param("照片发了", "您拍三张，发来我马上办。", "我马上办。", id="the sending goes with the photo"),
        pytest.param("照片发了", "您拍三张，发我就行，我马上办。", "发我就行，我马上办。", id="a step of its own"),
        pytest.param("照片发了", "请发照片，另外两件我一起换。", "另外两件我一起换。", id="the other two"),
        pytest.param("照片发了", "请发照片，还是没收到就告诉我。", "还是没收到就告诉我。", id="still not"),
    ],
)
def test_a_step_that_asks_for_what_was_told_is_left_out(said: str, text: str, left: str) -> None:
    assert left == without_asking_again(text, already_told([said], {}))


@pytest.mark.parametrize("earlier", [True, False])
def test_the_mark_of_a_photo_tells_that_it_was_sent(earlier: bool) -> None:
    message = replace(heard("calm"), marks=() if earlier else ("[图片]",))
    history = [Turn(role="customer", text="[图片]")] if earlier else []

    told = already_told(own_words(message, history), {})

    assert ["request_photos"] == [one.action for one in told]
    assert "我收到马上登记。" == without_asking_again("请发来破损处的照片，我收到马上登记。", told)
    assert [] == already_told(own_words(heard("calm"), [Turn(role="customer", text="[微笑]")]), {})


def test_the_thing_is_not_asked_for_where_the_order_has_only_one_to_speak_of() -> None:
    text = "您告诉我不要的是哪一件，我现在核对状态并帮您提交。"

    assert "我现在核对状态并帮您提交。" == without_asking_again(text, already_told(["面膜先别发了"], {"item": {"sku": "SK-005"}}))
    assert text == without_asking_again(text, already_told(["有一样先别发了"], {"items": []}))
    choice = "请告诉我选哪个，再发的话核对一下地址电话。"
    assert choice == without_asking_again(choice, already_told(["包裹退回来了"], {"item": {"sku": "SK-005"}}))


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        pytest.param("问三遍了", "您把订单号和想问的事直接发我，我马上看。", "您把想问的事直接发我，我马上看。", id="one thing of two"),
        pytest.param("投诉", "有照片和订单号一起发来，主管直接就能办。", "有照片一起发来，主管直接就能办。", id="the other of two"),
        pytest.param("在吗", "您把订单号或商品名称发我，我来查。", "我来查。", id="either would have done"),
        pytest.param("合并一下", "请把几笔订单号发我，我帮您合并。", "请把几笔订单号发我，我帮您合并。", id="other orders than this one"),
        pytest.param("在吗", "请发一下订单号，或者告诉我买的商品，我马上查。", "请发一下订单号，或者告诉我买的商品，我马上查。", id="or else"),
        pytest.param("丢了", "您没收到的若是另一单，请把订单号发我，我现在就查。", "您没收到的若是另一单，请把订单号发我，我现在就查。", id="another order"),
        pytest.param("丢了", "补发24小时内给新单号，退款今天发起。", "补发24小时内给新单号，退款今天发起。", id="what we promise"),
        pytest.param("退货", "我把您的订单号报给了仓库，今天验完。", "我把您的订单号报给了仓库，今天验完。", id="what we do"),
        pytest.param("退货", "退货寄出后把单号发我，我帮您盯着。", "退货寄出后把单号发我，我帮您盯着。", id="the parcel's number"),
        pytest.param("在吗", "您打客服热线时报订单号，对方就能查到。", "您打客服热线时报订单号，对方就能查到。", id="told to somebody else"),
        pytest.param("在吗", "Send me your order number and I'll check it.", "Send me your order number and I'll check it.", id="English stays whole"),
        pytest.param("给我妈发货了吗", "会说清转给谁、几点前回您，您留意。", "会说清转给谁、几点前回您，您留意。", id="nobody is asked"),
        pytest.param("优惠了100块左右吧", "您告诉我预算，我来挑。", "您告诉我预算，我来挑。", id="an amount that is no budget"),
        pytest.param("放驿站了我没收到", "您告诉我想放哪里，我帮您备注。", "您告诉我想放哪里，我帮您备注。", id="where it was put"),
        pytest.param("什么时候到账", "您告诉我是用什么付的，我帮您估个到账日。", "我帮您估个到账日。", id="how it was paid"),
        pytest.param("能用花呗吗", "您告诉我想用什么付款，我帮您看能不能用。", "您告诉我想用什么付款，我帮您看能不能用。", id="how it will be paid"),
        pytest.param("给我爸买点啥 三百以内", "您告诉我送谁、预算多少，我帮您挑两样。", "我帮您挑两样。", id="both were told"),
        pytest.param("给我爸买点啥", "您告诉我送谁、预算和哪天要，我来列。", "您告诉我预算和哪天要，我来列。", id="one of three was told"),
        pytest.param("能放楼下驿站吗", "您告诉我想放哪里，我帮您备注。", "我帮您备注。", id="where to put it"),
    ],
)
def test_what_the_order_or_the_customer_has_told_is_left_out_of_a_list(said: str, text: str, left: str) -> None:
    assert left == without_asking_again(text, already_told([said], {"id": "O1", "payment_method": "alipay"}))


def test_nothing_is_told_by_silence() -> None:
    assert [] == already_told([""], {})
    assert len(told_things()) >= 3


@pytest.mark.parametrize(
    ("text", "hour", "late"),
    [
        pytest.param("今天22点前给您回话。", 22, ["今天22点前"], id="the hour has come"),
        pytest.param("今天22点前给您回话。", 21, [], id="an hour before it"),
        pytest.param("今天24点前告诉您。", 23, ["今天24点前"], id="an hour of the day is left"),
        pytest.param("今天给审核结果。", 23, ["今天给"], id="a word for today"),
        pytest.param("今天给审核结果。", 14, [], id="in the afternoon"),
        pytest.param("到今天是第8天，2小时内回您。", 23, [], id="no promise for today"),
        pytest.param("今天9:00–20:00方便的话给您打电话。", 15, [], id="hours of opening"),
        pytest.param("You'll hear from us today.", 22, ["today"], id="English"),
    ],
)
def test_promises_that_the_clock_has_overtaken(text: str, hour: int, late: list[str]) -> None:
    assert late == [text[one.start : one.end] for one in late_promises(text, hour, english=False)]


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        pytest.param(
            "我不要你的券，直接退钱", "如果您还想要这件，我给您5元券，并请仓库优先。提交取消退款立即通过。", "提交取消退款立即通过。", id="a whole «if»"
        ),
        pytest.param("不要券", "我马上给您5元无门槛券，并把这单提前。", "我马上把这单提前。", id="the rest of the sentence stands alone"),
        pytest.param("别拿券糊弄我", "取消我现在提交，再等我发券，2小时内回您。", "取消我现在提交，2小时内回您。", id="a step in the middle"),
        pytest.param("不稀罕那点券", "补偿和催发是两件事，领了券不影响退款。", "补偿和催发是两件事。", id="the end"),
        pytest.param(
            "谁稀罕你那券", "选择再等，我给您补10元无门槛券；选择取消，没拣货的立即通过。", "选择取消，没拣货的立即通过。", id="a choice and what hangs on it"
        ),
        pytest.param("不要券", "想继续等，我给您申请10元券；不等了，我现在取消。", "不等了，我现在取消。", id="the other choice stays"),
        pytest.param("有券吗", "我给您5元券。", "我给您5元券。", id="nothing was declined"),
        pytest.param("不等了，退吧", "退款立即通过。如果还想要，我请仓库优先。", "退款立即通过。", id="no more waiting"),
    ],
)
def test_what_was_declined_is_not_offered_again(said: str, text: str, left: str) -> None:
    assert left == without_declined(text, already_declined([match_form(said)]))
