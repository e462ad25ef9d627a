"""The shop's products, and recognising which one a customer speaks of: by SKU, title or alias, 繁體 included.

A category's last word counts as a name too (「家电/大家电/冰箱」 → 冰箱), so that items without a catalogue are recognised by what the order says of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.normalise import match_form
from knowledge.records import Product

_LETTERS_ALONE = 2  # a one-character alias such as 「表」 says too little by itself


class ProductCatalogue:
    """Products by SKU, with the names people use for each."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = {product.sku: product for product in products}
        self._names = {product.sku: _names(product.sku, product.title, product.aliases) for product in products}

    def by_sku(self, sku: str) -> Product | None:
        """Gives the product, or None for a SKU that the shop does not list."""
        return self._products.get(sku)

    def mentioned(self, text: str) -> list[str]:
        """Gives the SKUs whose title or alias stands in the text, the longest name first, ties by SKU.

        A shorter name inside a longer one that also stands there does not count: 「充电宝」 is not 「充电」.
        """
        form = match_form(text)
        hits = {sku: longest for sku, names in self._names.items() if (longest := _longest_in(names, form))}
        kept = [sku for sku in hits if not any(hits[sku] != other and hits[sku] in other for other in hits.values())]
        return sorted(kept, key=lambda sku: (-len(hits[sku]), sku))

    def item_spoken_of(self, items: Sequence[Mapping[str, Any]], said: Sequence[str]) -> int | None:
        """Gives the position of the order's item that the words are about.

        The newest text that names exactly one item decides; else the only item of the order; else None.
        """
        names = [self._item_names(item) for item in items]
        for text in said:
            form = match_form(text)
            lengths = [len(_longest_in(own, form)) for own in names]
            best = max(lengths, default=0)
            if best and lengths.count(best) == 1:
                return lengths.index(best)
        return 0 if len(items) == 1 else None

    def _item_names(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        listed = self._names.get(item.get("sku", ""), ())
        category = str(item.get("category", "")).rsplit("/", 1)[-1]
        return (*listed, *_names(item.get("sku", ""), item.get("title", ""), [category]))


def fits_products(wanted: Sequence[str], sku: str, category: str) -> bool:
    """Whether an article's or reply's `products` covers the item: empty = all; a SKU; a category or one above it."""
    return not wanted or sku in wanted or any(category == one or category.startswith(one + "/") for one in wanted)


def _names(sku: str, title: str, aliases: Sequence[str]) -> tuple[str, ...]:
    forms = (match_form(name) for name in (sku, title, *aliases))
    return tuple(sorted({form for form in forms if len(form) >= _LETTERS_ALONE}, key=len, reverse=True))


def _longest_in(names: Sequence[str], form: str) -> str:
    return next((name for name in names if name in form), "")
