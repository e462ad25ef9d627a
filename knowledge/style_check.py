"""What is wrong with a draft's words: phrases by one Aho–Corasick automaton, their context by a few patterns at the places found.

Linear in the text: the automaton reads it once, and a pattern is only asked where a phrase stands.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from ahocorasick_rs import AhoCorasick, MatchKind

from knowledge.normalise import same_length_form
from knowledge.records import Store
from knowledge.style_detectors import emoji, is_own_site, links, personal_data, promised_amounts
from knowledge.style_rules import ChannelRule, StyleBook, StyleRule, shipped_style_book

_REMEMBERED = 1_024  # drafts whose findings are at hand: most replies have nothing to fill in
_REFUSAL = "no_way_out"
_BEFORE = 16  # characters before a phrase that a pattern sees
_QUOTED = re.compile(r"「[^」]*」|『[^』]*』|“[^”]*”|《[^》]*》|〔[^〕]*〕|【[^】]*】")
_SENTENCE_END = re.compile(r"[。！？!?\n]|\.(?=\s|$)")
_QUESTION = re.compile(r"[?？吗呢么]\s*$")
_YOU = StyleRule(code="address", phrases=("你",), exceptions=("你好", "迷你"), message="-", questions=True)


@dataclass(frozen=True, slots=True, order=True)
class StyleFinding:
    """Something to look at: `text[start:end]` are the words meant."""

    start: int
    end: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule ready to be asked."""

    rule: StyleRule
    message: str
    after: re.Pattern[str] | None
    not_after: re.Pattern[str] | None
    before: re.Pattern[str] | None
    not_before: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    @classmethod
    def of(cls, rule: StyleRule, message: str) -> "_Rule":
        def compiled(pattern: str, ending: str = "") -> re.Pattern[str] | None:
            return re.compile(f"(?:{pattern}){ending}") if pattern else None

        before, not_before = compiled(rule.preceded_by, "$"), compiled(rule.not_preceded_by, "$")
        return cls(rule, message, compiled(rule.followed_by), compiled(rule.not_followed_by), before, not_before, compiled(rule.unless))

    def fits(self, form: str, start: int, end: int) -> bool:
        """Whether the words around the phrase leave it objectionable."""
        if self.not_after is not None and self.not_after.match(form, end):
            return False
        if self.after is not None and not self.after.match(form, end):
            return False
        if self.before is None and self.not_before is None:
            return True
        left = form[max(0, start - _BEFORE) : start]
        if self.not_before is not None and self.not_before.search(left):
            return False
        return self.before is None or self.before.search(left) is not None


class StyleChecker:
    """The rules of a language and a shop's own, compiled together; made once a shop, safe from several threads."""

    def __init__(self, store: Store, book: StyleBook) -> None:
        self._store, self._book = store, book
        self._english = book.language == "en"
        rules = [_Rule.of(rule, self._worded(rule.message, rule.suggestion)) for rule in book.rules]
        if store.address_customer_as == "您":
            rules.append(_Rule.of(_YOU, self._worded(*book.messages["address"])))
        for banned in store.style.banned_phrases:
            own = StyleRule(code="banned_phrase", phrases=(banned.phrase,), exceptions=banned.exceptions, questions=True, in_quotes=True, message="-")
            rules.append(_Rule.of(own, self._worded(banned.reason, banned.use_instead)))
        self._rules = rules
        self._patterns: list[list[tuple[int, bool]]] = []  # by pattern of the automaton: (rule, whether it is an exception)
        places: dict[str, int] = {}
        for number, one in enumerate(rules):
            for phrase in one.rule.phrases:
                self._add(places, phrase, number, exception=False)
            for phrase in (*one.rule.exceptions, *store.style.allowed_phrases):
                self._add(places, phrase, number, exception=True)
        self._automaton = AhoCorasick(list(places), matchkind=MatchKind.Standard)
        self._checked = lru_cache(maxsize=_REMEMBERED)(self._found)

    def _add(self, places: dict[str, int], phrase: str, number: int, *, exception: bool) -> None:
        spellings = {phrase, phrase.replace("您", "你")} if self._rules[number].rule.code not in ("address", "banned_phrase") else {phrase}
        for form in sorted(same_length_form(spelling) for spelling in spellings):
            if form not in places:
                places[form] = len(places)
                self._patterns.append([])
            self._patterns[places[form]].append((number, exception))

    def check(self, text: str, *, channel: str = "im", amount_limit: Decimal | None = None) -> list[StyleFinding]:
        """Gives what to look at, in the order of the text.

        Args:
            text: the draft as it would be sent.
            channel: where it goes; an unknown one has the shop's own length and may hold links and emoji.
            amount_limit: what whoever answers may promise; None asks nothing of amounts.
        """
        return list(self._checked(text, channel, amount_limit))

    def refuses(self, text: str) -> bool:
        """Whether the text refuses something, whether or not it then offers another way: the words of `no_way_out` without what excuses them."""
        return any(self._rules[number].rule.code == _REFUSAL for number, _, _ in self._standing(same_length_form(text)))

    def _found(self, text: str, channel: str, amount_limit: Decimal | None) -> tuple[StyleFinding, ...]:
        form = same_length_form(text)
        found = [*self._phrases(form), *self._numbers(form, amount_limit), *self._channel(text, channel)]
        return tuple(sorted(set(_without_shadowed(found))))

    def _phrases(self, form: str) -> Iterator[StyleFinding]:
        for number, start, end in self._standing(form):
            one = self._rules[number]
            if not self._pardoned(one, form, start, end):
                yield StyleFinding(start, end, one.rule.code, one.message)

    def _standing(self, form: str) -> Iterator[tuple[int, int, int]]:
        """Gives (rule, start, end) of the phrases that mean what the rule means: in no longer word, in no quotation, with the right words around."""
        hits: list[tuple[int, int, int]] = []
        excused: dict[int, list[tuple[int, int]]] = {}
        for pattern, start, end in self._automaton.find_matches_as_indexes(form, overlapping=True):
            for number, exception in self._patterns[pattern]:
                if exception:
                    excused.setdefault(number, []).append((start, end))
                elif self._is_whole(form, start, end, self._rules[number].rule.code):
                    hits.append((number, start, end))
        if not hits:
            return
        quotes = [match.span() for match in _QUOTED.finditer(form)]
        for number, start, end in hits:
            one = self._rules[number]
            if any(a <= start and end <= b for a, b in excused.get(number, ())) or (not one.rule.in_quotes and _inside(start, end, quotes)):
                continue
            if one.fits(form, start, end):
                yield number, start, end

    def _is_whole(self, form: str, start: int, end: int, code: str) -> bool:
        """Latin phrases are whole words («relax» is not in «relaxed»), but for a shop's own; Chinese has no such borders."""
        if code == "banned_phrase":
            return True
        left = start > 0 and _is_latin(form[start]) and _is_latin(form[start - 1])
        right = end < len(form) and _is_latin(form[end - 1]) and _is_latin(form[end])
        return not (left or right) or not self._english

    def _pardoned(self, one: _Rule, form: str, start: int, end: int) -> bool:
        """Whether the sentence or draft around the phrase says what was wanting, or only asks."""
        if one.unless is None and one.rule.questions:
            return False
        left, right = _sentence(form, start, end)
        if not one.rule.questions and _QUESTION.search(form[left : right + 1]):
            return True
        if one.unless is None:
            return False
        if one.rule.within == "draft":
            left, right = 0, len(form)
        return one.unless.search(form[left:start]) is not None or one.unless.search(form[end:right]) is not None

    def _numbers(self, text: str, limit: Decimal | None) -> Iterator[StyleFinding]:
        for kind, (start, end) in personal_data(text):
            yield self._finding("personal_data", kind, start, end)
        for host, (start, end) in links(text):
            if not is_own_site(host, self._store.style.own_sites):
                yield self._finding("off_platform", "off_site_link", start, end)
        for amount, (start, end) in promised_amounts(text) if limit is not None else ():
            if limit is not None and amount > limit:
                yield self._finding("over_authority", "over_authority", start, end, amount=text[start:end])

    def max_chars(self, channel: str) -> int:
        """Gives how long a draft may be there: the shop's own word, else the channel's, else the shop's for all."""
        rule = self._book.channels.get(channel, ChannelRule())
        return self._store.style.channel_max_chars.get(channel) or rule.max_chars or self._store.style.max_chars

    def left_out(self, channel: str) -> str:
        """Gives the expression for what has no place there; empty for nothing."""
        return self._book.channels.get(channel, ChannelRule()).leave_out

    def _channel(self, text: str, channel: str) -> Iterator[StyleFinding]:
        rule = self._book.channels.get(channel, ChannelRule())
        limit = self.max_chars(channel)
        if len(text) > limit:
            yield self._finding("too_long", "too_long", limit, len(text), length=len(text), limit=limit)
        for _, (start, end) in links(text) if not rule.links else ():
            yield self._finding("channel_link", "channel_link", start, end)
        for start, end in emoji(text) if not rule.emoji else ():
            yield self._finding("channel_emoji", "channel_emoji", start, end)

    def _finding(self, code: str, message: str, start: int, end: int, **values: object) -> StyleFinding:
        said, instead = self._book.messages[message]
        return StyleFinding(start, end, code, self._worded(said.format(**values), instead))

    def _worded(self, reason: str, instead: str) -> str:
        """The reason, and what to say instead where there is something."""
        if not instead:
            return reason
        return f"{reason}; say: {instead}" if self._english else f"{reason}；可改为：{instead}"


_CHECKERS: dict[int, tuple[Store, StyleChecker]] = {}  # by identity of the store: a shop's is one object for as long as it is served
_MOST_CHECKERS = 64


def style_checker_of(store: Store) -> StyleChecker:
    """Gives the checker of a shop, made when first asked for and kept while the same `Store` is in use."""
    kept = _CHECKERS.get(id(store))
    if kept is not None and kept[0] is store:
        return kept[1]
    made = StyleChecker(store, shipped_style_book(store.language))
    if len(_CHECKERS) >= _MOST_CHECKERS:
        _CHECKERS.clear()
    _CHECKERS[id(store)] = (store, made)
    return made


def _without_shadowed(found: Sequence[StyleFinding]) -> Iterator[StyleFinding]:
    """Of findings of one code that overlap the first and longest stays; what the shop's own words mark needs no general rule."""
    own = [(one.start, one.end) for one in found if one.code == "banned_phrase"]
    reached: dict[str, int] = {}  # by code: where the last kept finding ends
    for one in sorted(found, key=lambda one: (one.start, -one.end, one.code)):
        marked = one.code not in ("banned_phrase", "too_long") and any(a < one.end and one.start < b for a, b in own)
        if not marked and one.start >= reached.get(one.code, 0):
            reached[one.code] = one.end
            yield one


def _inside(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(a < start and end < b for a, b in spans)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around `text[start:end]` begins and ends, its mark left out."""
    marks = [match.end() for match in _SENTENCE_END.finditer(text, 0, start)]
    closing = _SENTENCE_END.search(text, end)
    return (marks[-1] if marks else 0), (closing.start() if closing else len(text))


def _is_latin(char: str) -> bool:
    return "a" <= char <= "z" or char == "'"
