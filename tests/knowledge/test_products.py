import pytest

from knowledge.products import ProductCatalogue, fits_products
from knowledge.records import Product

CATALOGUE = ProductCatalogue([
    Product(sku="PB-1", title="20000毫安充电宝", category="数码/配件", aliases=("充电宝", "移动电源")),
    Product(sku="CH-1", title="快速充电器", category="数码/配件", aliases=("充电器", "充电")),
    Product(sku="WA-1", title="石英手表", category="数码/穿戴", aliases=("手表", "表")),
    Product(sku="WA-2", title="智能手表", category="数码/穿戴", aliases=("手表",)),
    Product(sku="FR-1", title="云岭冰箱", category="家电/大家电/冰箱"),
])  # fmt: skip
ENGLISH = ProductCatalogue([
    Product(sku="LK-K01", title="Old Mill Cast Iron Skillet", category="kitchen", aliases=("skillet", "pan")),
    Product(sku="LK-A01", title="Ridge Daypack", category="bags", aliases=("daypack", "pack")),
    Product(sku="LK-E01", title="Loon Wireless Earbuds", category="audio", aliases=("loon", "earbuds")),
])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "skus"),
    [
        pytest.param("充电宝能带上飞机吗", ["PB-1"], id="a shorter name inside a longer one does not count"),
        pytest.param("移動電源幾天到", ["PB-1"], id="traditional"),
        pytest.param("pb-1和冰箱", ["PB-1"], id="SKU in lower case; a category alone is no product"),
        pytest.param("ＣＨ－１有货吗", ["CH-1"], id="full-width"),
        pytest.param("手表坏了", ["WA-1", "WA-2"], id="an alias of two, by SKU"),
        pytest.param("智能手表坏了", ["WA-2"], id="the title names one of the two"),
        pytest.param("云岭冰箱和移动电源", ["FR-1", "PB-1"], id="two, ties by SKU"),
        pytest.param("快速充电器配20000毫安充电宝", ["PB-1", "CH-1"], id="the longest name first"),
        pytest.param("这个表", [], id="one letter says too little"),
        pytest.param("", [], id="nothing said"),
    ],
)
def test_mentioned(text, skus):
    assert skus == CATALOGUE.mentioned(text)


@pytest.mark.parametrize(
    ("text", "skus"),
    [
        pytest.param("is the PAN oven safe", ["LK-K01"], id="any case"),
        pytest.param("are pans and skillets the same", ["LK-K01"], id="plural"),
        pytest.param("calling my card company, what a joke", [], id="not inside company"),
        pytest.param("it is on the packing slip of the package", [], id="not inside packing or package"),
        pytest.param("mail a daypack to my sister", ["LK-A01"], id="the longer alias"),
        pytest.param("puffed up like a balloon", [], id="not inside balloon"),
        pytest.param("loon的耳机", ["LK-E01"], id="Chinese letters are a border"),
        pytest.param("lk-e01?", ["LK-E01"], id="SKU"),
        pytest.param("pan, pack", ["LK-A01", "LK-K01"], id="two"),
    ],
)
def test_a_latin_name_is_whole_words(text, skus):
    assert skus == ENGLISH.mentioned(text)


@pytest.mark.parametrize(
    ("said", "position"),
    [
        pytest.param(["充电宝坏了"], 0, id="named"),
        pytest.param(["充电器坏了"], 1, id="the other"),
        pytest.param(["充电宝和充电器"], None, id="both"),
        pytest.param(["它坏了", "充电宝和充电器", "充电器几天到"], 1, id="from the newest to the oldest"),
        pytest.param(["石英手表"], None, id="not in the order"),
        pytest.param([], None, id="nothing said"),
    ],
)
def test_item_spoken_of(said, position):
    assert position == CATALOGUE.item_spoken_of([{"sku": "PB-1"}, {"sku": "CH-1"}], said)


def test_two_items_of_the_same_name_are_not_told_apart():
    assert CATALOGUE.item_spoken_of([{"sku": "WA-1"}, {"sku": "WA-2"}], ["手表坏了"]) is None
    assert 1 == CATALOGUE.item_spoken_of([{"sku": "WA-1"}, {"sku": "WA-2"}], ["智能手表坏了"])


def test_an_order_of_one_item_speaks_of_it_and_of_none_of_nothing():
    assert 0 == CATALOGUE.item_spoken_of([{}], ["随便"])
    assert CATALOGUE.item_spoken_of([], ["充电宝"]) is None


def test_by_sku():
    assert "云岭冰箱" == CATALOGUE.by_sku("FR-1").title
    assert CATALOGUE.by_sku("fr-1") is None


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        pytest.param([], True, id="empty is all"),
        pytest.param(["FR-1"], True, id="SKU"),
        pytest.param(["家电"], True, id="a category above"),
        pytest.param(["家电/大家电/冰箱"], True, id="the category"),
        pytest.param(["X", "家电/大家电"], True, id="one of several"),
        pytest.param(["家"], False, id="half a category's name"),
        pytest.param(["家电/大家电/冰箱/双门"], False, id="a category below"),
        pytest.param(["FR"], False, id="half a SKU"),
    ],
)
def test_fits_products(wanted, fits):
    assert fits is fits_products(wanted, "FR-1", "家电/大家电/冰箱")


def test_among_many_products_those_named_are_found_as_if_each_was_looked_for():
    products = [Product(sku=f"P-{number:04d}", title=f"石阶{number}号水杯", aliases=(f"石阶{number}", "杯")) for number in range(3_000)]
    catalogue = ProductCatalogue(products)

    assert catalogue.mentioned("石阶1205号水杯和 p-0007 哪个好") == ["P-1205", "P-0007"]
    assert catalogue.mentioned("随便看看") == []
