import re

import pytest

from knowledge.scenarios import SCENARIOS, scenario_name


@pytest.mark.parametrize(
    ("scenario", "language", "name"),
    [
        ("order.expedite", "zh-CN", "催发货"),
        ("order.expedite", "zh-TW", "催发货"),
        ("order.expedite", "en", "chasing dispatch"),
        ("shop.engraving", "zh-CN", "shop.engraving"),
    ],
)
def test_scenario_name(scenario, language, name):
    assert name == scenario_name(scenario, language=language)


def test_the_list_is_the_contracts():
    assert 46 == len(SCENARIOS)
    assert {scenario.split(".")[0] for scenario in SCENARIOS} == {
        "product", "promo", "payment", "invoice", "membership", "order", "chat", "logistics", "return", "exchange", "refund", "warranty", "complaint",
        "sales", "safety", "aftersale", "account",
    }  # fmt: skip
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", scenario) for scenario in SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_has_two_names_of_its_own(scenario):
    chinese, english = SCENARIOS[scenario]

    assert any("一" <= letter <= "鿿" for letter in chinese)
    assert english.isascii()
