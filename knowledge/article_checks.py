"""What is wrong with a shop's articles and with who cites them: expired, ending soon, cited by nobody, internal only, badly worded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from knowledge.findings import Finding, FindingWriter
from knowledge.records import Article, ProvenReply
from knowledge.reply_checks import GRAVE_CODES
from knowledge.shop import Shop
from knowledge.style_check import style_checker_of

SOON = timedelta(days=14)
_NOT_OF_ARTICLES = frozenset({"too_long", "no_time", "no_way_out", "address"})  # rules for one message, not for a whole policy


@dataclass(frozen=True, slots=True)
class ArticleDesk:
    """One shop's articles under examination on a day in the shop's timezone."""

    shop: Shop
    writer: FindingWriter
    today: date

    def findings(self) -> Iterator[Finding]:
        """Gives all findings about articles and citations."""
        cited = {article_id for reply in self.shop.replies if reply.status == "approved" for article_id in reply.cites}
        for article in self.shop.articles:
            yield from self._dates(article)
            yield from self._style(article)
            if article.id not in cited and article.audience == "customer":
                yield self.writer.of_article("uncited_article", article.id)
        articles = {article.id: article for article in self.shop.articles}
        for reply in self.shop.replies:
            if reply.status == "approved" and (reply.effective_basis == "paid_at" or reply.in_force(self.today)):
                yield from self._citations(reply, [articles[one] for one in reply.cites if one in articles])

    def _dates(self, article: Article) -> Iterator[Finding]:
        ends = article.effective_to
        if ends is None:
            return
        if ends < self.today:
            yield self.writer.of_article("expired_article", article.id, "effective_to", day=ends)
        elif ends <= self.today + SOON:
            yield self.writer.of_article("expiring_article", article.id, "effective_to", day=ends, days=(ends - self.today).days)

    def _style(self, article: Article) -> Iterator[Finding]:
        if article.audience != "customer":
            return
        for one in style_checker_of(self.shop.store).check(article.body, channel="article"):
            if one.code not in _NOT_OF_ARTICLES:
                words = article.body[one.start : one.end]
                yield self.writer.of_article("law" if one.code in GRAVE_CODES else "style", article.id, "", words=words, message=one.message)

    def _citations(self, reply: ProvenReply, cited: list[Article]) -> Iterator[Finding]:
        dated = reply.effective_from is not None or reply.effective_to is not None
        expired = [article for article in cited if article.effective_to is not None and article.effective_to < self.today]
        for article in expired if not dated else []:
            code = "expired_citation" if len(expired) == len(cited) else "part_expired_citation"
            yield self.writer.of_reply(code, reply.id, "cites", article=article.id, day=article.effective_to)
        for article in cited:
            if article.effective_to is not None and self.today <= article.effective_to <= self.today + SOON and reply.effective_to is None:
                yield self.writer.of_reply("expiring_citation", reply.id, "cites", article=article.id, day=article.effective_to)
            if article.effective_from is not None and article.effective_from > self.today and reply.effective_from is None:
                yield self.writer.of_reply("early_citation", reply.id, "cites", article=article.id, day=article.effective_from)
        if cited and all(article.audience == "internal" for article in cited):
            yield self.writer.of_reply("internal_citation", reply.id, "cites", article=cited[0].id)
