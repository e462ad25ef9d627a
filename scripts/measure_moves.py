"""`python -m scripts.measure_moves`: handing over and asking back on labelled chats, how often rightly and how often not."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from knowledge.chats import LabelledChat
from scripts.labelled_answers import labelled_answers
from scripts.progress import progress
from suggest.contract import SuggestionResponse
from suggest.live import Models

app = typer.Typer(add_completion=False)
Answered = list[tuple[LabelledChat, SuggestionResponse]]


@app.command()
def measure_moves(
    store_dir: Annotated[list[Path], typer.Option(help="A shop's folder with labelled chats; repeat for several", exists=True, file_okay=False)],
) -> None:
    """Prints precision and recall of `escalate` against the labels `escalate` and `threatens`, and of a question asked back against `clarify`."""
    models, answered = Models.load(), list[tuple[LabelledChat, SuggestionResponse]]()
    with progress(quiet=False) as tell:
        for folder in store_dir:
            answered += labelled_answers(folder, models, tell)
    _print("hands over", answered, lambda answer: answer.escalate is not None, lambda chat: chat.labels.escalate or chat.labels.threatens)
    _print("asks back", answered, lambda answer: bool(answer.clarifying_questions), lambda chat: chat.labels.clarify)


def _print(name: str, answered: Answered, does: Callable[[SuggestionResponse], bool], should: Callable[[LabelledChat], bool]) -> None:
    pairs = [(does(answer), should(chat)) for chat, answer in answered]
    right, done, due = (sum(values) for values in ([a and b for a, b in pairs], [a for a, _ in pairs], [b for _, b in pairs]))
    precision, recall = right / max(1, done), right / max(1, due)
    typer.echo(f"{name}: {done} of {len(pairs)} chats; precision {precision:.2f} ({right} of {done}), recall {recall:.2f} ({right} of {due})")


if __name__ == "__main__":
    app()
