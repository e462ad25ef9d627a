"""What a product is known by, worked out once: the names it is recognised by, the words for its kind, and all that its data says in one line."""

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from knowledge.normalise import match_form
from knowledge.records import Product

LETTERS_ALONE = 2  # a one-character alias such as 「表」 says too little by itself
_LATIN_LETTERS = 4


class ProductWords(NamedTuple):
    """Words of one product, in the form that messages are matched in."""

    sku: str  # as it is written
    names: tuple[str, ...]  # longest first
    kinds: tuple[str, ...]  # its category, those above it (「护肤品」 of 护肤/精华), and its kind in English: the last word of an alias
    described: str  # title, category and attributes


class WordedProducts(Sequence[Product]):
    """Products whose words are known without reading their records."""

    @property
    @abstractmethod
    def words(self) -> Sequence[ProductWords]:
        """The words of each product, in order."""


def words_of(product: Product) -> ProductWords:
    """Gives the product's words."""
    names = names_of(product.sku, product.title, product.aliases)
    latin = [alias.split()[-1] for alias in product.aliases if alias.isascii() and len(alias.split()[-1]) >= _LATIN_LETTERS]
    kinds = tuple(dict.fromkeys(match_form(word) for word in (*product.category.split("/"), *latin)))
    described = json.dumps([product.title, product.category, product.attributes], ensure_ascii=False)
    return ProductWords(product.sku, names, tuple(word for word in kinds if len(word) >= LETTERS_ALONE), match_form(described))


def names_of(sku: str, title: str, aliases: Sequence[str]) -> tuple[str, ...]:
    """Gives what something is recognised by, the longest first, equally long ones by the alphabet."""
    forms = {match_form(name) for name in (sku, title, *aliases)}
    return tuple(sorted((form for form in forms if len(form) >= LETTERS_ALONE), key=lambda form: (-len(form), form)))
