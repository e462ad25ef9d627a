"""Proves that a shop's labelled chats agree with the shop: ids exist, no label contradicts its own condition, contrast groups differ."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from knowledge.chats import BEST, LabelledChat, read_chats
from knowledge.conditions import Outcome, PreparedFacts, compile_condition, prepare_facts
from knowledge.errors import BadRow
from knowledge.facts import compute_facts
from knowledge.normalise import match_form
from knowledge.products import ProductCatalogue
from knowledge.records import ProvenReply
from knowledge.rows import read_rows
from knowledge.shop import Shop, in_force


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What was found; `overlap` is the mean share of a message's character pairs that stand in a trigger of its best reply."""

    n_chats: int
    bad: tuple[BadRow, ...]
    tags: dict[str, int]
    splits: dict[str, int]
    overlap: float


def check_labels(folder: Path, shop: Shop) -> LabelReport:
    """Reads every `chats/*.jsonl` of the shop and checks the labels against it."""
    bad: list[BadRow] = []
    located: list[tuple[BadRow, LabelledChat]] = []
    splits: dict[str, int] = {}
    for path in sorted((folder / "chats").glob("*.jsonl")):
        chats, mistakes = read_chats(path, root=folder)
        bad += mistakes
        splits[path.stem] = len(chats)
        lines = {str(row.cells.get("id")): row.line for row in reversed(read_rows(path, root=folder)[0])}
        located += [(BadRow(f"chats/{path.name}", lines[chat.id], "id", "", chat.id), chat) for chat in chats]
    replies = {reply.id: reply for reply in shop.replies}
    catalogue = shop.catalogue()
    for place, chat in located:
        bad += _check_chat(place, chat, shop, catalogue, replies)
    bad += _check_groups(located)
    chats = [chat for _, chat in located]
    tags = Counter(tag for chat in chats for tag in chat.labels.tags if "/" not in tag)
    return LabelReport(len(chats), tuple(sorted(bad)), dict(tags), splits, _overlap(chats, replies))


def _check_chat(place: BadRow, chat: LabelledChat, shop: Shop, catalogue: ProductCatalogue, replies: dict[str, ProvenReply]) -> list[BadRow]:
    bad = []
    facts = _labelled_facts(chat, shop, catalogue)
    articles = {article.id for article in shop.articles}
    labels = chat.labels

    def mend(field: str, expected: str, got: str) -> None:
        bad.append(BadRow(place.path, place.line, f"{chat.id} {field}", expected, got))

    if chat.store != shop.store.id:
        mend("store", f"expected {shop.store.id}", chat.store)
    if labels.answerable != bool(labels.replies):
        mend("labels.replies", "expected replies for an answerable chat, and none for an unanswerable one", str(len(labels.replies)))
    for article in labels.articles:
        if article not in articles:
            mend("labels.articles", "expected the id of an article of this shop", article)
    for reply_id in [*labels.replies, *(one for question in labels.questions for one in question)]:
        reply = replies.get(reply_id)
        if reply is None or reply.status != "approved":
            mend("labels.replies", "expected the id of an approved reply of this shop", reply_id)
        elif not _eligible(reply, chat, facts, shop):
            mend("labels.replies", "expected a reply whose condition and dates hold for this order", reply_id)
    return bad


def _labelled_facts(chat: LabelledChat, shop: Shop, catalogue: ProductCatalogue) -> PreparedFacts:
    """The facts of the chat, with the message's emotion and scenarios as labelled."""
    said = [chat.message, *(turn.text for turn in reversed(chat.history))]
    facts = compute_facts(order=chat.order, customer=chat.customer, agent=chat.agent, now=chat.now, store=shop.store, catalogue=catalogue, said=said)
    facts["message"] = {"threatens": chat.labels.threatens, "scenarios": list(chat.labels.scenarios)}
    if chat.labels.emotion is not None:
        facts["message"]["emotion"] = chat.labels.emotion
    return prepare_facts(facts)


def _eligible(reply: ProvenReply, chat: LabelledChat, prepared: PreparedFacts, shop: Shop) -> bool:
    """Whether the reply is ruled out neither by its dates nor by its condition."""
    moment = prepared.facts["order"].get("paid_at") if reply.effective_basis == "paid_at" else chat.now
    dated = moment is None or in_force(reply, now=moment, timezone=shop.store.timezone)
    return dated and compile_condition(reply.when).evaluate_prepared(prepared).outcome is not Outcome.FALSE


def _check_groups(located: list[tuple[BadRow, LabelledChat]]) -> list[BadRow]:
    """Members of a contrast group share message and history, lie in one split, and do not all have the same best reply."""
    groups: dict[str, list[tuple[BadRow, LabelledChat]]] = defaultdict(list)
    for place, chat in located:
        if chat.contrast_group is not None:
            groups[chat.contrast_group].append((place, chat))
    bad = []
    for name, members in groups.items():
        place, first = members[0]
        best = {frozenset(reply for reply, grade in chat.labels.replies.items() if grade == BEST) for _, chat in members}
        problems = {
            "expected at least two members": len(members) < 2,
            "expected the same message and history in all": len({(chat.message, tuple(turn.text for turn in chat.history)) for _, chat in members}) > 1,
            "expected all members in one file": len({one.path for one, _ in members}) > 1,
            "expected the best reply to differ": len(members) > 1 and len(best) == 1,
        }
        bad += [BadRow(place.path, place.line, f"contrast/{name}", expected, first.id) for expected, wrong in problems.items() if wrong]
    return bad


def _pairs(text: str) -> set[str]:
    form = match_form(text)
    return {form[i : i + 2] for i in range(len(form) - 1)}


def _overlap(chats: list[LabelledChat], replies: dict[str, ProvenReply]) -> float:
    shares = []
    for chat in chats:
        pairs = _pairs(chat.message)
        best = [replies[one] for one, grade in chat.labels.replies.items() if grade == BEST and one in replies]
        triggers = [_pairs(trigger) for reply in best for trigger in reply.triggers]
        if pairs and triggers:
            shares.append(max(len(pairs & trigger) / len(pairs) for trigger in triggers))
    return sum(shares) / len(shares) if shares else 0.0
