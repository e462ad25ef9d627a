"""A closing about a promotion is left out where the reply has told of it."""

from datetime import date

import pytest

from knowledge.records import Promotion, Store
from knowledge.style_records import Frame, Style
from suggest.framing import speaks_of
from tests.suggest.drafted import STORE, draft, reply

NAME = "冬日手作季满199减40"
CLOSING = "需要的话我帮您凑一凑。"
SEASON: Store = STORE.model_copy(
    update={
        "style": Style(max_chars=200, closings=(Frame(text="「{{ promotion.name }}」到{{ promotion.ends | date }}结束，" + CLOSING, promotions=("*",)),)),
        "calendar": (Promotion.model_validate({"name": NAME, "from": date(2026, 11, 20), "to": date(2026, 11, 30)}),),
    }
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("班级一次买30件以上可以走团购。", False, id="of something else"),
        pytest.param("这本199元，那本40页。", False, id="its amounts apart"),
        pytest.param("冬日手作季满199减40，系统自动减。", True, id="its name"),
        pytest.param("现在手作季满199减40，系统自动减。", True, id="half its name"),
        pytest.param("全店满 199 元减 40 元。", True, id="its amounts"),
        pytest.param("手作季到11月30日。", True, id="its beginning and its end"),
    ],
)
def test_a_promotion_that_the_reply_told_of_is_not_told_again(text: str, told: bool) -> None:
    made = draft(reply(scenario="product.price", information=text), store=SEASON)

    assert told == (CLOSING not in made.text)
    assert made.text.startswith(text)


@pytest.mark.parametrize(
    ("text", "promotion", "ends", "told"),
    [
        pytest.param("双11的价格", "双11", "", True, id="a short name"),
        pytest.param("双11的价格", "双12", "", False, id="another short name"),
        pytest.param("双11的礼盒", "双11满199减30", "", False, id="the day is not the promotion"),
        pytest.param("返场到11月30日", "感恩返场", "11月30日", True, id="a piece and the day"),
        pytest.param("11月30日前发出", "感恩返场", "11月30日", False, id="the day alone"),
        pytest.param("It ships by Nov 30.", "Thanksgiving week 15% off", "Nov 30", False, id="English, the day alone"),
        pytest.param("Our Black Friday prices are on.", "Black Friday Weekend", "", True, id="English"),
    ],
)
def test_a_promotion_is_known_by_its_name_or_its_amounts(text: str, promotion: str, ends: str, told: bool) -> None:
    assert told == speaks_of(text, promotion, ends=ends)


def test_a_closing_that_the_reply_says_itself_is_not_said_twice() -> None:
    closed = STORE.model_copy(update={"style": Style(max_chars=200, closings=(Frame(text="有需要随时回来找我们。"),))})

    assert "是纯棉的。有需要随时回来找我们。" == draft(reply(scenario="product.spec", information="是纯棉的。有需要随时回来找我们。"), store=closed).text
    assert "是纯棉的。有需要随时回来找我们。" == draft(reply(scenario="product.spec", information="是纯棉的。"), store=closed).text
