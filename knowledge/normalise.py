"""The one form in which texts are compared: the customer's words, triggers, titles and aliases.

Only for matching. What a person reads is never passed through here.
"""

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

# Platform emoji codes such as #E-s01 or [微笑], and zero-width characters that hide inside pasted text.
_PLATFORM_CODES = re.compile(r"#e-[a-z0-9]+|\[[一-鿿]{1,3}\]")  # looked for after lower-casing
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b-\x1f\x7f]")
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _traditional_to_simplified() -> OpenCC:
    return OpenCC("t2s")


def clean(text: str) -> str:
    """Gives the text without control and zero-width characters; words and line breaks stay."""
    return _INVISIBLE.sub("", text)


def match_form(text: str) -> str:
    """Gives the text as it is matched: NFKC, lower case, Simplified, no platform codes, single spaces.

    Idempotent (but for 薴, which OpenCC simplifies in two steps). Empty when nothing but codes and spaces was there.
    """
    plain = unicodedata.normalize("NFKC", clean(text)).lower()
    simplified = _traditional_to_simplified().convert(_PLATFORM_CODES.sub(" ", plain))
    return _SPACES.sub(" ", simplified).strip()
