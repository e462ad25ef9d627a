"""What must never be shown, judged again from the records, apart from the pipeline's own filter."""

import re

from knowledge.conditions import Outcome
from knowledge.shop import Shop
from knowledge.templates import literal_words
from suggest.contract import SuggestionResponse
from suggest.eligibility import Eligibility

_RAW_TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}|(?<![A-Za-z])(?:None|nan)(?![A-Za-z])")
_LEAK_CHARS = {"zh": 14, "en": 48}  # this many characters of an internal article in a draft are no coincidence


class ForbiddenTexts:
    """Looks through a shop's drafts for replies that are not approved or not eligible, raw template text and internal words."""

    def __init__(self, shop: Shop) -> None:
        self._replies = {reply.id: reply for reply in shop.replies}
        self._written = {reply.id: " ".join(literal_words(source) for source in reply.templates().values()) for reply in shop.replies}
        self._width = _LEAK_CHARS[shop.store.language[:2]]
        self._internal = {piece for article in shop.articles if article.audience == "internal" for piece in self._windows(article.body)}

    def among(self, response: SuggestionResponse, eligibility: Eligibility) -> list[str]:
        """Gives each thing that must not be shown and was, as «reply id + what», in the order of the drafts."""
        found = []
        alone = Eligibility(eligibility.circumstances)  # each condition by itself, not as they were judged for ranking
        for one in response.suggestions:
            for reply_id in one.reply_ids:
                reply = self._replies.get(reply_id)
                if reply is None or reply.status != "approved":
                    found.append(f"{reply_id} is not approved")
                elif alone.of_reply(reply).outcome is Outcome.FALSE:
                    found.append(f"{reply_id} is not eligible for this order or day")
            written = " ".join(self._written.get(reply_id, "") for reply_id in one.reply_ids)
            if any(raw.group() not in written for raw in _RAW_TEMPLATE.finditer(one.text)):
                found.append(f"{one.reply_id} shows raw template text")
            if any(piece in self._internal and piece not in written for piece in self._windows(one.text)):
                found.append(f"{one.reply_id} quotes an internal article")
        return found

    def _windows(self, text: str) -> list[str]:
        return [text[i : i + self._width] for i in range(len(text) - self._width + 1)]
