"""`python -m scripts.measure_drafts`: what the drafts for all labelled chats say and must not say, and how often they are warned of."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from knowledge.chats import BEST, LabelledChat
from scripts.labelled_answers import labelled_answers
from scripts.progress import progress
from suggest.contract import Suggestion, SuggestionResponse
from suggest.live import Models
from suggest.scoring import said

app = typer.Typer(add_completion=False)
_RAW = re.compile(r"\{\{|\}\}|\{%|%\}|〔|(?<![A-Za-z])(?:None(?! of)|nan)(?![A-Za-z])")
_NOT_TO_SEND = frozenset({"missing_fact", "untraceable"})


@app.command()
def measure_drafts(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with labelled chats; repeat for several", exists=True, file_okay=False)],
    top_k: Annotated[int, typer.Option(help="Drafts a chat", min=1, max=10)] = 3,
    sample: Annotated[int, typer.Option(help="How many warnings to print with their sentence, for a person to judge", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Of the sample")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report on standard output")] = False,
) -> None:
    """Prints must_include where the right reply is first, must_not_include, sendable drafts that could not be sent, and warnings per 100 drafts."""
    models, figures = Models.load(), Figures()
    with progress(quiet=as_json) as tell:
        for folder in store_dir:
            for chat, answer in labelled_answers(folder, models, tell, top_k=top_k):
                figures.add(chat, answer)
    typer.echo(json.dumps(figures.report(), ensure_ascii=False) if as_json else "\n".join(figures.lines()))
    for line in random.Random(seed).sample(figures.told, min(sample, len(figures.told))) if not as_json else ():
        typer.echo(line)


class Figures:
    """Counts over chats and their drafts; the chats behind each fault by id."""

    def __init__(self) -> None:
        self.n = Counter[str]()
        self.warned = Counter[str]()
        self.told: list[str] = []  # each warning once a chat: code, words, hour, sentence
        self.faults: dict[str, list[str]] = {"must_include": [], "must_not_include": [], "not_to_send": []}

    def add(self, chat: LabelledChat, answer: SuggestionResponse) -> None:
        """Counts one chat."""
        self.n["chats"] += 1
        self.n["drafts"] += len(answer.suggestions)
        self.n["sendable"] += sum(one.sendable for one in answer.suggestions)
        self.n["auto_reply"] += sum(one.auto_reply for one in answer.suggestions)
        self.warned.update(warning.code for one in answer.suggestions for warning in one.warnings)
        self.told += dict.fromkeys(line for one in answer.suggestions for line in _told(chat, one))
        self.faults["not_to_send"] += [f"{chat.id} {one.reply_id}" for one in answer.suggestions if one.sendable and _cannot_be_sent(one)]
        if answer.suggestions:
            self._words(chat, answer.suggestions[0])

    def _words(self, chat: LabelledChat, first: Suggestion) -> None:
        labels = chat.labels
        if labels.replies.get(first.reply_id) == BEST and labels.must_include:
            self._count("must_include", chat, [piece for piece in labels.must_include if not said(piece, first.text)])
        if labels.must_not_include:
            self._count("must_not_include", chat, [piece for piece in labels.must_not_include if said(piece, first.text)])

    def _count(self, name: str, chat: LabelledChat, wrong: Iterable[str]) -> None:
        self.n[name] += 1
        pieces = " ".join(wrong)
        self.faults[name] += [f"{chat.id} {pieces}"] if pieces else []

    def report(self) -> dict[str, Any]:
        """Gives everything counted."""
        return {"counts": dict(self.n), "warnings": dict(self.warned.most_common()), "faults": self.faults}

    def lines(self) -> list[str]:
        """Gives the figures as a person reads them."""
        n, faults = self.n, self.faults
        kept = {name: n[name] - len(faults[name]) for name in ("must_include", "must_not_include")}
        lines = [
            f"{n['chats']} chats, {n['drafts']} drafts, {n['sendable']} of them sendable, {n['auto_reply']} may go out unread",
            f"must_include, right reply first: {kept['must_include']} of {n['must_include']} ({kept['must_include'] / max(1, n['must_include']):.3f})",
            f"must_not_include kept: {kept['must_not_include']} of {n['must_not_include']} ({kept['must_not_include'] / max(1, n['must_not_include']):.3f})",
            f"sendable drafts with a blank, raw template text or an untraceable fact: {len(faults['not_to_send'])}",
            f"warnings per 100 drafts: {100 * sum(self.warned.values()) / max(1, n['drafts']):.2f} {dict(self.warned.most_common())}",
        ]
        return [*lines, *(f"  {name}: {one}" for name, found in faults.items() for one in found)]


def _told(chat: LabelledChat, draft: Suggestion) -> Iterator[str]:
    for warning in draft.warnings:
        start, end = (draft.text.rfind("。", 0, warning.start) + 1, draft.text.find("。", warning.end))
        sentence = draft.text[start : end if end >= 0 else None]
        yield "\t".join([warning.code, draft.text[warning.start : warning.end], f"{chat.now:%H:%M}", sentence or draft.text])


def _cannot_be_sent(draft: Suggestion) -> bool:
    return bool(draft.missing) or _RAW.search(draft.text) is not None or any(one.code in _NOT_TO_SEND for one in draft.warnings)


if __name__ == "__main__":
    app()
