"""How good the ranking is on shops it was not fitted to: each shop in turn is judged by a ranker fitted on the others, over an index without its own chats.

What is meant by what is heard, how customers feel and when they ask two things is learnt anew without it too; the classifiers are the bundled ones.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from indexes.build import build_snapshot
from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from knowledge.shop import Shop
from suggest.baselines import Baselines
from suggest.calibration import expected_calibration_error, reliability
from suggest.evaluation import Evaluation, evaluate
from suggest.fitting import fit
from suggest.live import Models
from suggest.pipeline import Suggester
from suggest.question_fitting import enough_to_learn_from, fit_question_splitter
from suggest.ranking import Ranker
from suggest.reading_fitting import refitted
from suggest.training_examples import TrainingShop, heard_in, training_examples
from suggest.understanding import MessageReader

Progress = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True, slots=True)
class LabelledShop:
    """A shop with all its labelled chats."""

    shop: Shop
    chats: tuple[LabelledChat, ...]

    @property
    def id(self) -> str:
        """The shop's id."""
        return self.shop.store.id


@dataclass(frozen=True, slots=True)
class Unseen:
    """One shop, judged by a ranker that never saw it: everything ranked, and with the shipped threshold; baselines beside."""

    ranked: Evaluation
    shown: Evaluation
    baselines: tuple[Evaluation, ...]

    @property
    def calibration_error(self) -> float:
        """Of the first draft's confidence over all chats, ten bins."""
        firsts = [(one.confidences[0], one.grade > 0) for one in self.ranked.results if one.confidences]
        return expected_calibration_error(reliability([sure for sure, _ in firsts], [right for _, right in firsts]))

    @property
    def precision(self) -> float:
        """Share of the first drafts that are shown which are acceptable."""
        shown = [one.grade > 0 for one in self.shown.results if one.reply_ids]
        return sum(shown) / len(shown) if shown else float("nan")

    @property
    def coverage(self) -> float:
        """Share of the chats that should be answered which are given a draft."""
        asked = [bool(one.reply_ids) for one in self.shown.results if one.chat.labels.answerable]
        return sum(asked) / len(asked) if asked else float("nan")


def leave_one_shop_out(
    shops: Sequence[LabelledShop], models: Models, *, now: datetime, only: Sequence[str] = (), on_progress: Progress | None = None
) -> Mapping[str, Unseen]:
    """Gives each shop's figures by its id, in order; with `only`, of those shops. Rankers learn from every shop but the judged one, and from no votes."""
    tell = on_progress or (lambda _what, _done, _total: None)
    snapshots = {one.id: build_snapshot(one.shop, embedder=models.embedder, needs=models.reader.needs, now=now) for one in shops}
    found = {}
    for one in shops:
        if only and one.id not in only:
            continue
        others = [other for other in shops if other.id != one.id]
        with tempfile.TemporaryDirectory() as folder:
            reader, ranker = _learnt(others, snapshots, models, Path(folder) / "ranker", tell)
        parts = {"embedder": models.embedder, "reader": reader, "ranker": ranker}
        ranked = Suggester(snapshots[one.id], **parts, min_confidence=0.0)  # type: ignore[arg-type]
        shown = Suggester(snapshots[one.id], **parts)  # type: ignore[arg-type]
        baselines = Baselines(snapshots[one.id], models.embedder)
        found[one.id] = Unseen(
            evaluate(one.chats, ranked, system="ranked", watch=baselines.observe),
            evaluate(one.chats, shown, system="shown", check=False),
            tuple(baselines.evaluations()),
        )
    return found


def _learnt(shops: Sequence[LabelledShop], snapshots: Mapping[str, Snapshot], models: Models, folder: Path, tell: Progress) -> tuple[MessageReader, Ranker]:
    """What these shops' chats teach: a reader, and a ranker fitted on examples by readers that had not seen them."""
    training = [TrainingShop(snapshots[one.id], one.chats) for one in shops]
    models = replace(models, reader=_splitting(shops, models))
    heard = heard_in(training, models)
    n_chats, done = sum(len(one.chats) for one in shops), [0]

    def step(_shop: str) -> None:
        done[0] += 1
        tell("signals of the others", done[0], n_chats)

    ranker = fit(training_examples(training, heard, models, on_chat=step)).write(folder, provenance="a measurement")
    return refitted(models.reader, heard), ranker


def _splitting(shops: Sequence[LabelledShop], models: Models) -> MessageReader:
    """The reader with a judge of double questions that these shops taught, where they have enough of them."""
    chats = [chat for one in shops for chat in one.chats]
    return models.reader.splitting_by(fit_question_splitter(chats, models.reader.needs)) if enough_to_learn_from(chats) else models.reader
