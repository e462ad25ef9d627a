"""A large shop's products: their words at hand, their records read when they are asked for.

Fifty thousand records take two seconds to read, and their words three to find.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from indexes.recipe import reading_recipe
from knowledge.product_words import ProductWords, WordedProducts, words_of
from knowledge.records import Product

LINES, WORDS = "products.jsonl", "product_words.json"


class StoredProducts(WordedProducts):
    """Products in the order of their SKUs, as lines of JSON."""

    def __init__(self, lines: Sequence[bytes], words: Sequence[ProductWords], made_by: str) -> None:
        self.lines, self._words, self.made_by = lines, words, made_by
        self._at_hand: dict[int, Product] = {}  # a large catalogue at most: some hundred bytes each

    @classmethod
    def of(cls, products: Sequence[Product], before: "StoredProducts | None" = None) -> "StoredProducts":
        """Gives the products written down; the words of those that are as they were before are taken from there."""
        if isinstance(products, StoredProducts):
            return products
        lines = [product.model_dump_json(by_alias=True, exclude_defaults=True).encode() for product in products]
        if before is None or before.made_by != reading_recipe():
            return cls(lines, [words_of(product) for product in products], reading_recipe())
        known = dict(zip(before.lines, before.words, strict=True))  # a record has its SKU, so no line is there twice
        return cls(lines, [known.get(line) or words_of(product) for line, product in zip(lines, products, strict=True)], reading_recipe())

    @classmethod
    def read(cls, folder: Path) -> "StoredProducts":
        """Reads what `write` wrote; records stay lines."""
        table = json.loads((folder / WORDS).read_text(encoding="utf-8"))
        words = [
            ProductWords(sku, tuple(names), tuple(kinds), described)
            for sku, names, kinds, described in zip(table["skus"], table["names"], table["kinds"], table["described"], strict=True)
        ]
        return cls((folder / LINES).read_bytes().split(b"\n")[:-1], words, table["made_by"])

    def write(self, folder: Path) -> None:
        """Writes the records as they always are, and their words beside them."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LINES).write_bytes(b"".join(line + b"\n" for line in self.lines))
        skus, names, kinds, described = zip(*self._words, strict=True) if self._words else ((), (), (), ())
        table = {"made_by": self.made_by, "skus": skus, "names": names, "kinds": kinds, "described": described}
        (folder / WORDS).write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def words(self) -> Sequence[ProductWords]:
        """The words of each product, in order."""
        return self._words

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, row: int) -> Product: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[Product]: ...

    def __getitem__(self, row: int | slice) -> Product | Sequence[Product]:
        if isinstance(row, slice):
            return tuple(self[one] for one in range(*row.indices(len(self))))
        product = self._at_hand.get(row)
        if product is None:
            product = self._at_hand[row] = Product.model_validate_json(self.lines[row])
        return product

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
