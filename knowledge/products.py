"""The shop's products, and recognising which one a customer speaks of: by SKU, title or alias, 繁體 included.

A category's last word counts as a name too (「家电/大家电/冰箱」 → 冰箱), so that items without a catalogue are recognised by what the order says of them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from knowledge.normalise import match_form
from knowledge.product_words import LETTERS_ALONE, ProductWords, WordedProducts, names_of, words_of
from knowledge.records import Product

K = TypeVar("K")


class ProductCatalogue:
    """Products by SKU, with the names people use for each."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = products
        self.words: Sequence[ProductWords] = products.words if isinstance(products, WordedProducts) else [words_of(product) for product in products]
        self._rows = {words.sku: row for row, words in enumerate(self.words)}
        self._names = {words.sku: words.names for words in self.words}
        self._begun_by: dict[str, set[str]] = {}  # SKUs by how a name of theirs begins: a message holds few beginnings, a large shop many names
        for sku, names in self._names.items():
            for name in names:
                self._begun_by.setdefault(name[:LETTERS_ALONE], set()).add(sku)

    @property
    def products(self) -> Sequence[Product]:
        """All of them, in the catalogue's order, which is that of `words`."""
        return self._products

    def by_sku(self, sku: str) -> Product | None:
        """Gives the product, or None for a SKU that the shop does not list."""
        row = self._rows.get(sku)
        return None if row is None else self._products[row]

    def rows_of(self, skus: Iterable[str]) -> list[int]:
        """Gives the rows of the listed ones among some SKUs, ascending."""
        return sorted(self._rows[sku] for sku in skus if sku in self._rows)

    def mentioned(self, text: str) -> list[str]:
        """Gives the SKUs whose title or alias stands in the text, the longest name first, ties by SKU.

        A shorter name inside a longer one that also stands there does not count: 「充电宝」 is not 「充电」.
        """
        form = match_form(text)
        beginnings = {form[place : place + LETTERS_ALONE] for place in range(len(form) - LETTERS_ALONE + 1)}
        maybe = sorted({sku for beginning in beginnings for sku in self._begun_by.get(beginning, ())})
        hits = {sku: longest for sku in maybe if (longest := _longest_in(self._names[sku], form))}
        return sorted(_not_inside_others(hits), key=lambda sku: (-len(hits[sku]), sku))

    def item_spoken_of(self, items: Sequence[Mapping[str, Any]], said: Sequence[str]) -> int | None:
        """Gives the position of the order's item that the words are about.

        The newest text that names exactly one item decides (a shorter name inside a longer one does not count); else the only item of the order; else None.
        """
        names = [self._item_names(item) for item in items]
        for text in said:
            form = match_form(text)
            spoken_of = _not_inside_others({place: hit for place, own in enumerate(names) if (hit := _longest_in(own, form))})
            if len(spoken_of) == 1:
                return spoken_of[0]
        return 0 if len(items) == 1 else None

    def _item_names(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        listed = self._names.get(item.get("sku", ""), ())
        category = str(item.get("category", "")).rsplit("/", 1)[-1]
        return (*listed, *names_of(item.get("sku", ""), item.get("title", ""), [category]))


def fits_products(wanted: Sequence[str], sku: str, category: str) -> bool:
    """Whether an article's or reply's `products` covers the item: empty = all; a SKU; a category or one above it."""
    return not wanted or sku in wanted or any(category == one or category.startswith(one + "/") for one in wanted)


def category_levels(category: str) -> list[str]:
    """`家电/大家电` → 家电, 家电/大家电: what covers an item of the category."""
    names = category.split("/")
    return ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]


def _longest_in(names: Sequence[str], form: str) -> str:
    return next((name for name in names if name in form and _stands_alone(name, form)), "")


def _stands_alone(name: str, form: str) -> bool:
    """A name in Latin letters must be whole words, a plural s allowed: «pan» is not in «company». Chinese has no such borders."""
    left = r"(?<![a-z])" if "a" <= name[0] <= "z" else ""
    right = r"(?:e?s)?(?![a-z])" if "a" <= name[-1] <= "z" else ""
    if not left and not right:
        return True  # whoever asks has found it
    return re.search(left + re.escape(name) + right, form) is not None


def _not_inside_others(hits: Mapping[K, str]) -> list[K]:
    """Gives the keys whose name is not part of another's longer name."""
    return [key for key, name in hits.items() if not any(name != other and name in other for other in hits.values())]
