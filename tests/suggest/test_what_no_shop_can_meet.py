"""Messages near a shop's words that no shop can answer, each beside one that it can: heard by the bundled models."""

import pytest

from suggest.live import Models
from suggest.understanding import MessageReader


@pytest.fixture(scope="module")
def reader() -> MessageReader:
    return Models.unfitted().reader


@pytest.mark.parametrize(
    ("beyond", "answerable", "scenario"),
    [
        ("你们在市区有实体店吗 周末想过去转转", "仓库离我近 我自己开车去提货行不", "logistics.booking"),
        ("我家旧沙发你们收不收", "新的送来的时候 旧的那张帮忙搬下楼不", "product.install"),
        ("给我送货的师傅姓啥 多大年纪", "把送货师傅的电话给我", "logistics.track"),
        ("停车费扣了两次", "你们多扣了我一笔钱", "order.exception"),
        ("想代理你们的产品 怎么谈", "单位要买六十份 有没有批发价", "product.price"),
        ("就跟上回一样", "退货就跟上回一样弄", "return.no_reason"),
    ],
)
def test_it_is_heard_as_nothing_of_the_shops(reader: MessageReader, beyond: str, answerable: str, scenario: str):
    assert _main(reader, beyond) == "chat.other"
    assert _main(reader, answerable) == scenario


def _main(reader: MessageReader, message: str) -> str:
    scenarios = reader.hear(message, ()).scenarios
    return max(scenarios, key=lambda name: scenarios[name])
