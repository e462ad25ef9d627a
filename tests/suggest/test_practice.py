"""What good support practice asks (docs/practice.md), row by row, on the requests of the page and the real demo shop: this message, this order, this draft."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.practice_table import PAGE, answer, read_cases, table, with_table
from suggest.composition import sentences_of
from suggest.contract import Suggestion, SuggestionResponse
from suggest.live import Models
from suggest.pipeline import Suggester

ROOT = Path(__file__).parent.parent.parent
CASES = read_cases()
ROWS = {row["row"]: row for row in CASES["rows"]}
Ask = Callable[..., SuggestionResponse]


@pytest.fixture(scope="module")
def answers(demo_suggester: Suggester) -> Callable[[str], list[SuggestionResponse]]:
    """The answers to a row's requests."""
    return lambda row: [answer(CASES, asked, demo_suggester) for asked in ROWS[row]["requests"]]


@pytest.fixture(scope="module")
def ask(demo_suggester: Suggester) -> Ask:
    """Another request with one of the page's orders."""

    def asked(message: str, **fields: Any) -> SuggestionResponse:
        return answer(CASES, {"message": message} | fields, demo_suggester)

    return asked


Answers = Callable[[str], list[SuggestionResponse]]


def firsts(found: list[SuggestionResponse]) -> list[Suggestion]:
    return [one.suggestions[0] for one in found]


def test_every_row_is_there_once() -> None:
    assert [*(f"P{number}" for number in range(1, 18)), "P23", "P24"] == [row["row"] for row in CASES["rows"]]


@pytest.mark.parametrize("row", sorted(ROWS))
def test_the_test_that_a_row_names_exists(row: str) -> None:
    path, _, name = ROWS[row]["test"].partition("::")

    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_the_table_of_the_page_is_what_the_service_answers(demo_suggester: Suggester) -> None:
    """After a change of words run `python -m scripts.practice_table`, and read what it wrote."""
    page = PAGE.read_text(encoding="utf-8")

    assert with_table(page, table(CASES, demo_suggester)) == page


def test_p1_plain_words_on_the_customers_side_with_steps_kept_as_steps(answers: Answers) -> None:
    [draft] = firsts(answers("P1"))

    assert "usage-earphone-pair" == draft.reply_id
    steps = [draft.text.index(step) for step in ("放回盒里", "忽略", "重新选耳机名称", "照着试一遍")]
    assert sorted(steps) == steps
    assert "您" in draft.text
    assert "你" not in draft.text
    assert [] == draft.warnings


def test_p2_opening_by_customer_and_day_and_none_under_way(answers: Answers, ask: Ask) -> None:
    valued, holiday, under_way = firsts(answers("P2"))
    [new] = firsts([ask("牛仔裤会掉色吗", customer={"tier": "new"})])

    assert "您好，感谢您一直支持栗子湾。" == valued.parts["opening"]
    assert "您好，国庆快乐！" == holiday.parts["opening"]
    assert "您好，欢迎来到栗子湾。" == new.parts["opening"]
    assert "opening" not in under_way.parts
    assert not under_way.text.startswith("您好")


def test_p3_questions_from_open_to_closed_in_the_customers_script(answers: Answers, ask: Ask) -> None:
    [opened, closed] = answers("P3")

    assert ["请问您想咨询的是商品、物流还是售后方面的问题呢？方便的话多说一点，我马上帮您看。"] == opened.clarifying_questions
    assert ["請問您說的是「防滑厚底休闲鞋」還是「智能手表 S2」呢？"] == closed.clarifying_questions  # titles as the order page shows them
    assert [] == opened.suggestions
    said = [{"role": "customer", "text": "这个不行"}, {"role": "agent", "text": opened.clarifying_questions[0]}]
    assert [] == ask("这个不行啊", order="delivered", history=said).clarifying_questions  # not asked twice
    assert ["您的预算大概在多少呢？"] == ask("想给宝宝买个玩具，推荐一下").clarifying_questions  # for whom is told already
    assert [] == ask("地址填错了，能改吗", order="in_time").clarifying_questions  # nothing is missing


def test_p4_value_part_speaks_of_benefits_with_the_catalogues_facts(answers: Answers, demo_suggester: Suggester, models: Models) -> None:
    [draft] = firsts(answers("P4"))
    shop = demo_suggester.snapshot.shop
    longer = [one.model_copy(update={"warranty_months": 18}) if one.sku == "DG-001" else one for one in shop.products]
    changed = Suggester(
        replace(demo_suggester.snapshot, shop=replace(shop, products=tuple(longer))), embedder=models.embedder, reader=models.reader, ranker=models.ranker
    )

    assert "spec-phone-x5" == draft.reply_id
    assert "不用另外添配件，整机保修12个月" in draft.parts["value"]
    assert [] == draft.warnings  # the 12 is traced to the catalogue
    assert "整机保修18个月" in answer(CASES, ROWS["P4"]["requests"][0], changed).suggestions[0].parts["value"]


def test_p5_the_upset_are_heard_first_with_a_plan_and_no_apology_twice(answers: Answers) -> None:
    upset, again, threat = answers("P5")
    first, second = upset.suggestions[0], again.suggestions[0]

    assert ["expedite-overdue-upset"] * 2 == [first.reply_id, second.reply_id]
    assert "empathy" == next(iter(first.parts))
    assert "真对不起" in first.parts["empathy"]
    assert "2小时内" in first.parts["action"]
    assert "对不起" not in second.text
    assert "真抱歉" in second.parts["empathy"]
    assert "expedite_warehouse" == upset.next_actions[0].code
    assert threat.escalate is not None
    assert ("threat", "lead") == (threat.escalate.reason, threat.escalate.to)


def test_p6_closing_with_thanks_and_no_recommendation_for_the_upset(answers: Answers, ask: Ask) -> None:
    [draft] = firsts(answers("P6"))

    assert "chat.closing" == draft.scenario
    assert 1 == draft.text.count("祝您")  # one wish, not the reply's and the closing's
    assert draft.text.endswith("感谢您一直支持栗子湾，祝您生活愉快。")
    assert ["CL-001"] == [one.sku for one in ask("想给爸爸买件冬天穿的外套，预算两三百").recommendations]
    assert [] == ask("气死我了，还敢让我再买外套？推荐个屁，预算两三百", order="stalled").recommendations
    assert not any(one.scenario.startswith("sales.") for one in ask("前天就该发的，怎么还显示待发货！太气人了", order="overdue").suggestions)


def test_p7_nothing_is_said_twice_and_nothing_told_is_asked_again(answers: Answers, ask: Ask) -> None:
    draft, declined = firsts(answers("P7"))
    before = ROWS["P7"]["requests"][0]["history"][-1]["text"]
    [first] = firsts([ask("毛衣袖口开线了，刚穿一次，太糟心了", order="sweater")])
    [not_sent] = firsts([ask("然后呢，怎么处理", order="sweater", history=ROWS["P7"]["requests"][0]["history"])])

    assert before == first.text
    assert "return.quality" == draft.scenario == not_sent.scenario
    assert "在订单详情申请售后，24小时内审核，通过后约次日免费上门取件。" == draft.parts["action"]
    assert "请拍问题处近照" in not_sent.parts["action"]  # asked for as long as nobody has sent any
    assert not {*sentences_of(before)} & {*sentences_of(draft.text)}
    assert "对不起" not in draft.text
    assert "券" not in declined.text  # refused once
    assert "退款" in declined.text
    thanks = ask("好的，谢谢", order="in_time", history=[{"role": "customer", "text": "什么时候发"}, {"role": "agent", "text": "今天下午出库。"}])
    assert "chat.closing" == thanks.suggestions[0].scenario  # not the same answer once more


def test_p8_one_message_four_orders_four_replies(answers: Answers) -> None:
    ids = [draft.reply_id for draft in firsts(answers("P8"))]

    assert ["modify-address-unpicked", "modify-address-packed", "modify-address-shipped", "modify-delivered"] == ids


def test_p9_an_action_with_a_time_and_a_warning_when_the_clock_has_overtaken_it(answers: Answers, ask: Ask) -> None:
    by_day, at_night = answers("P9")

    assert "2小时内" in by_day.suggestions[0].parts["action"]
    assert [] == by_day.suggestions[0].warnings
    late = next(one for one in at_night.suggestions if one.reply_id == "delay-unshipped-overdue")
    assert ["late_promise"] == [one.code for one in late.warnings]
    assert "今天24点前" == late.text[late.warnings[0].start : late.warnings[0].end]
    earlier = ask("都三天了还没发，今天能给个准信吗", order="overdue", now="2026-11-21T14:00:00+08:00")
    assert [] == next(one for one in earlier.suggestions if one.reply_id == "delay-unshipped-overdue").warnings


def test_p10_refund_timing_by_the_channel_it_was_paid_with(answers: Answers) -> None:
    alipay, card = firsts(answers("P10"))

    assert ("timing-alipay-refunding", "timing-credit-refunding") == (alipay.reply_id, card.reply_id)
    assert "24小时内到账" in alipay.text
    assert "3–7个工作日" in card.text
    assert {"refund-timing"} <= {passage.article_id for passage in card.evidence}


def test_p11_stalled_is_chased_damaged_made_good_lost_reshipped(answers: Answers) -> None:
    found = answers("P11")

    assert ["logistics.delay", "logistics.damage", "logistics.lost"] == [draft.scenario for draft in firsts(found)]
    assert ["chase_carrier", "request_photos", "file_carrier_claim"] == [one.next_actions[0].code for one in found]
    damaged, lost = found[1].suggestions[0], found[2].suggestions[0]
    assert "damage-outer-only" not in {one.reply_id for one in found[1].suggestions}  # the thing itself is broken, not its box
    assert "补发一件新的或者退款" in damaged.text
    assert lost.text.index("补发") < lost.text.index("全额退款")


def test_p12_a_refusal_comes_with_two_ways_out(answers: Answers) -> None:
    [draft] = firsts(answers("P12"))

    assert "no-reason-out-window" == draft.reply_id
    assert "第8天" in draft.parts["information"]
    assert "还有两条路：签收15天内有质量问题，可以退换、运费不用您出；有保修的商品，保修期内可以免费检修。" == draft.parts["value"]
    assert [] == draft.warnings


def test_p13_money_above_the_agents_authority_goes_to_the_lead(answers: Answers) -> None:
    for_agent, for_lead = answers("P13")
    first = for_agent.suggestions[0]

    assert ("exception-oos-lead", False, ["over_authority"]) == (first.reply_id, first.sendable, [one.code for one in first.warnings])
    assert for_agent.escalate is not None
    assert ("authority", "lead") == (for_agent.escalate.reason, for_agent.escalate.to)
    assert "50" not in for_agent.escalate.holding_reply
    assert any(one.sendable for one in for_agent.suggestions)  # within their own means there is something to send
    assert ("exception-oos-lead", True, []) == (for_lead.suggestions[0].reply_id, for_lead.suggestions[0].sendable, for_lead.suggestions[0].warnings)
    assert for_lead.escalate is None


def test_p14_tutorials_and_tables_come_with_the_draft(answers: Answers) -> None:
    care, size = firsts(answers("P14"))

    assert ["care-bedding-fade", "recommend-clothes-size"] == [care.reply_id, size.reply_id]
    assert [["image"], ["image"]] == [[one.kind for one in draft.attachments] for draft in (care, size)]
    assert "尺码" in size.attachments[0].title
    assert size.attachments[0].url.startswith("https://")
    assert "身高、体重" not in size.text  # told already


def test_p15_recommendations_by_budget_use_and_age_and_none_that_warn_against_it(answers: Answers, ask: Ask) -> None:
    coat, food, cream, dear = answers("P15")

    assert ["CL-001"] == [one.sku for one in coat.recommendations]
    assert ["¥189，在您的预算内", "冬天保暖"] == [why for why in coat.recommendations[0].why if why.startswith("¥") or why == "冬天保暖"]
    assert any("里面加毛衣" in why for why in coat.recommendations[0].why)  # what it does, in the shop's words
    assert ["MB-003"] == [one.sku for one in food.recommendations]
    assert "月龄：6个月以上（您说的8个月合适）" in food.recommendations[0].why
    assert [] == cream.recommendations  # 「敏感肌慎用」
    assert ["¥148，超出您的预算"] == [why for why in dear.recommendations[0].why if why.startswith("¥")]  # shown as what it is
    assert "recommend-gift-elder" not in {one.reply_id for one in food.suggestions}
    history = [{"role": "customer", "text": "想给爸爸买件冬天穿的外套"}, {"role": "agent", "text": "您的预算大概在多少呢？"}]
    assert ["CL-001"] == [one.sku for one in ask("两三百吧，推荐一下", history=history).recommendations]  # what was named before still counts


def test_p16_colour_that_runs_brings_care_and_the_promise_to_take_it_back(answers: Answers) -> None:
    [found] = answers("P16")

    assert "care-jeans-fade" == found.suggestions[0].reply_id
    assert "首次单独用冷水洗" in found.suggestions[0].parts["information"]
    assert "签收15天内按质量问题退换，运费不用您承担" in found.suggestions[0].parts["value"]
    assert {"care-fading", "quality-return-15d"} <= {passage.article_id for passage in found.passages}


def test_p17_all_four_parts_in_the_order_of_the_mood(answers: Answers, ask: Ask) -> None:
    [draft] = firsts(answers("P17"))
    [calm] = firsts([ask("麻烦看下这单什么时候发出", order="in_time")])

    assert ["empathy", "information", "value", "action"] == list(draft.parts)
    assert "empathy" not in calm.parts
    for one in (draft, calm):
        assert not re.search(r"详情页(?:有|都有|写)|自己看|自行查看", one.text)


def test_p23_the_same_answer_fits_each_channel(answers: Answers, ask: Ask) -> None:
    message, review = firsts(answers("P23"))
    [chat] = firsts([ask("还没发货？", order="overdue")])

    assert chat.reply_id == message.reply_id
    assert len(chat.text) > 70 >= len(message.text)
    assert chat.parts["action"].endswith(message.parts["action"])  # the action and its time stay
    assert "券" not in message.text  # nothing speaks of a voucher that the message no longer offers
    assert [] == message.warnings
    assert not re.search(r"发(?:我|来)|照片|视频|签收|XF\d+|20261121", review.text)
    assert review.text.startswith("感谢您抽时间写下评价。")
    assert review.text.endswith("请在订单页联系我们，我们一对一为您处理。")


def test_p24_actions_for_the_console_and_a_draft_before_anyone_asks(answers: Answers) -> None:
    stalled, in_time = answers("P24")

    assert "delay-stalled-calm" == stalled.suggestions[0].reply_id
    assert "chase_carrier" == stalled.next_actions[0].code
    assert not stalled.suggestions[0].auto_reply
    assert not re.search(r"您(?:问|催|担心|着急)", stalled.suggestions[0].text)  # nobody asked
    assert [] == in_time.suggestions
