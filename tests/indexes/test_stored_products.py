"""A large catalogue in its files: the same products and words as one in memory, and only what changed is worked out again."""

import pytest

from indexes.stored_products import StoredProducts
from knowledge.product_words import words_of
from knowledge.products import ProductCatalogue
from knowledge.records import Product
from knowledge.shop import Shop

PRODUCTS = (
    Product(sku="A-1", title="云岭冰箱", category="家电/大家电/冰箱", aliases=("冰箱",), attributes={"容量": "200升", "备注": "一行\n两行"}, price="1999.00"),
    Product(sku="B-2", title="Ridge Daypack", category="bags", aliases=("day pack",)),
    Product(sku="C-3", title="石英手表", aliases=("表",)),
)


def test_what_is_read_back_is_what_was_written(tmp_path):
    StoredProducts.of(PRODUCTS).write(tmp_path)

    read = StoredProducts.read(tmp_path)

    assert tuple(read) == PRODUCTS
    assert list(read.words) == [words_of(product) for product in PRODUCTS]
    assert (read[1], read[-1], read[1:]) == (PRODUCTS[1], PRODUCTS[-1], PRODUCTS[1:])
    with pytest.raises(IndexError):
        read[3]


def test_a_catalogue_of_stored_products_finds_what_one_in_memory_finds(tmp_path, demo_shop: Shop):
    StoredProducts.of(demo_shop.products).write(tmp_path)

    stored, plain = ProductCatalogue(StoredProducts.read(tmp_path)), ProductCatalogue(demo_shop.products)

    for product in demo_shop.products:
        for text in (product.sku, f"{product.title}怎么退", *product.aliases):
            assert stored.mentioned(text) == plain.mentioned(text), text
        assert stored.by_sku(product.sku) == product
        assert stored.rows_of([product.sku, "没有"]) == plain.rows_of([product.sku])
    assert stored.by_sku("没有") is None


def test_the_words_of_what_did_not_change_are_taken_over(tmp_path):
    StoredProducts.of(PRODUCTS).write(tmp_path)
    before = StoredProducts.read(tmp_path)
    edited = (PRODUCTS[0], PRODUCTS[1].model_copy(update={"aliases": ("rucksack",)}), *PRODUCTS[2:])

    after = StoredProducts.of(edited, before)

    assert after.words[0] is before.words[0]
    assert after.words[2] is before.words[2]
    assert after.words[1] == words_of(edited[1])
    assert tuple(after) == edited


def test_an_empty_catalogue(tmp_path):
    StoredProducts.of(()).write(tmp_path)

    assert len(StoredProducts.read(tmp_path)) == 0
    assert ProductCatalogue(StoredProducts.read(tmp_path)).mentioned("冰箱") == []


def test_words_for_a_kind_are_the_categorys_and_the_english_noun():
    assert words_of(PRODUCTS[0]).kinds == ("家电", "大家电", "冰箱")
    assert words_of(PRODUCTS[1]).kinds == ("bags", "pack")
    assert words_of(PRODUCTS[2]).kinds == ()
    assert '"容量": "200升"' in words_of(PRODUCTS[0]).described
