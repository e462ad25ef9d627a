"""`python -m scripts.train_classifiers`: fit the need, emotion and threat classifiers on the banks that ship and on shops' train chats."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from indexes.classifier import MODELS, load_classifier
from indexes.corpora import needs_lines
from indexes.embedder import load_embedder
from indexes.fitting import FitRecipe, FitReport, fit_classifier, refit_temperature
from knowledge.chats import LabelledChat, read_chats
from knowledge.conversation import readings
from knowledge.needs_bank import Phrasing, read_followups, read_moods, read_outside
from knowledge.normalise import strip_console
from scripts.progress import STDERR
from suggest.history import fit_history_gate

app = typer.Typer(add_completion=False)
_FEW_LABELS = FitRecipe(width=64, min_count=1, epochs=30)
# Who taught the classifier what short turns mean in their history, and on whom the gate is fitted: never the same.
_TAUGHT_BY, _GATE_BY = "fa", "fb"


@app.command()
def train_classifiers(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder, whose chats/train.jsonl adds threats; repeat for several")],
) -> None:
    """Fits the three on the banks, threats on train chats too, makes the need probabilities honest on those chats, and fits the history gate."""
    embedder = load_embedder()
    followups = read_followups()
    needs = needs_lines() + [line for phrasing in followups if phrasing.writer == _TAUGHT_BY for line in _in_context(phrasing)]
    needs += [(phrasing.need, strip_console(phrasing.text)) for phrasing in read_outside() if not phrasing.held_out]
    chats = [chat for folder in store_dir for chat in read_chats(folder / "chats" / "train.jsonl", root=folder)[0]]
    _tell("needs", fit_classifier([text for _, text in needs], [need for need, _ in needs], embedder, MODELS / "needs"))
    plain = [(strip_console(chat.message), chat.labels.scenarios[0]) for chat in chats if _stands_alone(chat)]
    temperature = refit_temperature(MODELS / "needs", load_classifier("needs"), [text for text, _ in plain], [scenario for _, scenario in plain])
    STDERR.print(f"needs: temperature {temperature:.2f} on {len(plain)} train chats")
    gate = fit_history_gate(load_classifier("needs"), [(p.text, p.turns, p.need) for p in followups if p.writer == _GATE_BY])
    gate.write()
    STDERR.print(f"history gate: {dataclasses.asdict(gate)}", markup=False, highlight=False)
    # Chats teach what the classifier's answer comes to (`suggest.moods`): on chats it knew it would look surer than it is.
    bank = _moods([])
    _tell("emotion", fit_classifier([text for text, _, _ in bank], [emotion for _, emotion, _ in bank], embedder, MODELS / "emotion", recipe=_FEW_LABELS))
    moods = _moods(chats)
    texts = [text for text, _, _ in moods]
    labels = ["threat" if threatens else "none" for _, _, threatens in moods]
    _tell("threat", fit_classifier(texts, labels, embedder, MODELS / "threat", recipe=_FEW_LABELS))


def _in_context(phrasing: Phrasing) -> list[tuple[str, str]]:
    """The message with what was said before it, as the reader will put them together."""
    return [(phrasing.need, text) for text in readings(phrasing.text, phrasing.turns)[1:]]


def _stands_alone(chat: LabelledChat) -> bool:
    labels = chat.labels
    return labels.answerable and bool(labels.scenarios) and not chat.history and not labels.questions


def _moods(chats: list[LabelledChat]) -> list[tuple[str, str, bool]]:
    """(text, emotion, threatens) of the bank and of the chats, each message once."""
    found = [(strip_console(mood.text), mood.emotion, mood.threatens) for mood in read_moods() if not mood.held_out]
    found += [(strip_console(chat.message), chat.labels.emotion, chat.labels.threatens) for chat in chats if chat.labels.emotion]
    return list(dict.fromkeys(found))


def _tell(name: str, report: FitReport) -> None:
    said = f"accuracy {report.accuracy:.3f} on {report.n_held_out} kept out of {report.n_train + report.n_held_out}"
    STDERR.print(f"{name}: {said} → {Path('indexes/models') / name}", markup=False, highlight=False)


if __name__ == "__main__":
    app()
