"""Loading models: to serve with, everything; to learn with, nothing that was learnt of chats before."""

import json
import shutil
from pathlib import Path

import pytest

from indexes.classifier import load_classifier
from suggest import meaning
from suggest.live import Models
from suggest.meaning import MeaningModel


@pytest.fixture
def other_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meaning model that was learnt when there was one need less."""
    folder = Path(shutil.copytree(meaning.BUNDLED_MEANING, tmp_path / "meaning"))
    card = json.loads((folder / meaning.CARD).read_text(encoding="utf-8"))
    card["needs"] = card["needs"][:-1]
    (folder / meaning.CARD).write_text(json.dumps(card), encoding="utf-8")
    load = MeaningModel.load
    monkeypatch.setattr(MeaningModel, "load", lambda: load(folder))


@pytest.mark.usefixtures("other_needs")
def test_what_was_learnt_with_other_needs_is_not_served_but_can_be_learnt_anew():
    with pytest.raises(ValueError, match=r"other needs than the classifier gives; run scripts\.train_ranker"):
        Models.load()

    models = Models.unfitted()

    assert tuple(models.reader.needs.labels) == tuple(load_classifier("needs").labels)
    assert models.ranker.threshold(0.5) == 1.0  # prefers nothing and is never sure
