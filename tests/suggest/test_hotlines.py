"""Hotlines are numbers by themselves: the digits of a telephone, order or tax number threaten nobody."""

from collections.abc import Callable

import pytest

from knowledge.conduct_rules import alarms
from knowledge.normalise import match_form
from knowledge.products import ProductCatalogue
from suggest.live import Models
from suggest.understanding import Understanding

LONG_NUMBERS = [
    "我的电话13812345678",
    "13812345678",
    "电话17712315888，地址换一下",
    "138 1231 5123",
    "打电话到13800012315",
    "订单号是2026112315009，帮我查一下",
    "订单2026112345009到哪了",
    "抬头：成都晨光幼儿园，税号52510107MJQ123456X",
    "税号911231500MA12345X",
    "卡号6222021231512345",
    "运单SF1231512345678",
    "12345678",
]
THREATS = [
    "我打12315",
    "12345热线投诉",
    "打12315了啊",
    "再不处理就打12315",
    "我要去12345告你们",
    "１２３１５见",
    "邮政12305投诉你们",
    "我电话13812345678，再不退我打12315",
]


@pytest.fixture(scope="module")
def hear(models: Models) -> Callable[[str], Understanding]:
    catalogue = ProductCatalogue([])
    return lambda message: models.reader.understand(message, (), catalogue, signs=())


def says_threat(message: str) -> bool:
    return any(alarm.says(match_form(message)) for alarm in alarms() if alarm.reason == "threat")


@pytest.mark.parametrize("message", LONG_NUMBERS)
def test_a_long_number_is_no_threat(hear: Callable[[str], Understanding], message: str) -> None:
    assert not says_threat(message)
    assert not hear(message).threatens
    assert hear(message).condition_facts()["threatens"] is False


@pytest.mark.parametrize("message", ["订单号12345", "科华路12345号", "密码是12345吗"])
def test_what_people_write_for_any_number_is_no_hotline(message: str) -> None:
    assert not says_threat(message)


@pytest.mark.parametrize("message", THREATS)
def test_a_hotline_is_heard(hear: Callable[[str], Understanding], message: str) -> None:
    assert says_threat(message)
    assert hear(message).threatens
