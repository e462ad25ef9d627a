from datetime import date

import pytest

from knowledge.frame_checks import frame_mistakes
from knowledge.holiday_dates import has_holidays, holiday_on
from knowledge.records import Promotion, Store
from knowledge.shop import Shop
from knowledge.style_records import Frame, Style


def store(frame: Frame, **fields) -> Store:
    promotion = Promotion.model_validate({"name": "返场", "from": "2026-11-20", "to": "2026-11-30"})
    return Store(id="shop", name="店", calendar=(promotion,), style=Style(openings=(frame,)), **fields)


@pytest.mark.parametrize(
    ("day", "country", "language", "name"),
    [
        (date(2026, 2, 17), "CN", "zh-CN", "春节"),
        (date(2026, 11, 26), "US", "en", "Thanksgiving Day"),
        (date(2026, 11, 21), "CN", "zh-CN", ""),
        (date(2026, 2, 17), "", "zh-CN", ""),
    ],
)
def test_holidays_by_country_in_the_shops_language(day, country, language, name):
    assert name == holiday_on(day, country=country, language=language)


def test_countries_are_known_by_two_letters():
    assert (True, False) == (has_holidays("TW"), has_holidays("XX"))


@pytest.mark.parametrize(
    ("frame", "fields", "field"),
    [
        pytest.param(Frame(text="好", when="customer.teir == 'vip'"), {}, "when", id="a fact that does not exist"),
        pytest.param(Frame(text="{{ customer.nam }}好"), {}, "text", id="a name that does not exist"),
        pytest.param(Frame(text="好", promotions=("双12",)), {}, "promotions", id="no such promotion"),
        pytest.param(Frame(text="好", holidays=("春节",)), {}, "holidays", id="holidays without a country"),
        pytest.param(Frame(text="好", scenarios=("prodct",)), {}, "scenarios", id="no such group"),
    ],
)
def test_a_frame_that_can_never_fit_is_reported_with_its_place(frame, fields, field):
    [found] = frame_mistakes(store(frame, **fields))

    assert ("store.toml", f"style.openings 1 {field}") == (found.path, found.field)


def test_an_unknown_country_is_reported():
    assert ["country"] == [row.field for row in frame_mistakes(store(Frame(text="好"), country="XX"))]


def test_a_good_frame_and_the_shipped_ones_pass(demo_shop: Shop, english_shop: Shop, fresh_shop: Shop, home_shop: Shop):
    good = store(Frame(text="{{ promotion.name }}到{{ promotion.ends | date }}", promotions=("*",), scenarios=("product", "sales.hesitate")))

    assert [] == [row for one in (good, *(shop.store for shop in (demo_shop, english_shop, fresh_shop, home_shop))) for row in frame_mistakes(one)]
    assert all(shop.store.style.openings for shop in (demo_shop, english_shop, fresh_shop, home_shop))
