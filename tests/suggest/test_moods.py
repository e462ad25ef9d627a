"""Moods weighed with what the message is about, by hand; and the model that ships on messages of our own."""

from pathlib import Path

import numpy as np
import pytest

from suggest.live import Models
from suggest.moods import MOODS, MoodModel, MoodWeights, mood_inputs

HEARD = {"angry": 0.1, "anxious": 0.2, "calm": 0.4, "upset": 0.3}
N_WRITTEN = 5


def test_inputs_are_centred_log_odds_then_how_it_is_written_then_scenarios() -> None:
    found = mood_inputs(HEARD, message="退款！！ 有人吗？？", words="退款!! 有人吗", scenarios=[0.5, 0.0], threat=0.25)

    logs = np.log(np.array([0.1, 0.2, 0.4, 0.3]) + 1e-6)
    assert found == pytest.approx([*(logs - logs.mean()), 8 / 40, 8 / 120, 1.0, 1.0, 0.25, 0.5, 0.0])


def test_a_model_that_learnt_nothing_gives_what_it_is_told() -> None:
    assert MoodModel.as_heard().felt(HEARD, message="退款", words="退款", scenarios={}, threat=0.0) == HEARD


def test_a_complaint_makes_the_same_words_angrier() -> None:
    plain = np.concatenate([np.eye(4), np.zeros((4, N_WRITTEN)), [[1.0], [0], [0], [0]]], axis=1)
    model = MoodModel(MoodWeights(("complaint.service",), tuple(map(tuple, plain.tolist())), (0.0,) * 4))

    def felt(share: float) -> dict[str, float]:
        return model.felt(HEARD, message="退款", words="退款", scenarios={"complaint.service": share}, threat=0.0)

    assert felt(0.0) == pytest.approx(HEARD, abs=1e-5)
    weighed = np.array([0.1 * np.exp(0.5), 0.2, 0.4, 0.3])
    assert list(felt(0.5).values()) == pytest.approx(list(weighed / weighed.sum()), abs=1e-5)
    assert tuple(felt(0.5)) == MOODS


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    card = MoodWeights(("exchange", "invoice"), tuple((float(row),) * 11 for row in range(4)), (0.1, 0.2, 0.3, 0.4))

    MoodModel(card).write(tmp_path / "moods.json")

    assert MoodModel.load(tmp_path / "moods.json").card == card


@pytest.mark.parametrize(
    ("message", "moods"),
    [
        ("请问这款有蓝色吗", {"calm"}),
        ("明天就要用了，今天还能送到吗，有点着急", {"anxious"}),
        ("说好48小时发货，现在都五天了，你们就这样做生意的？", {"upset", "angry"}),
        ("骗子店铺！！退钱！！", {"angry"}),
    ],
)
def test_the_shipped_model_hears_the_mood(models: Models, message: str, moods: set[str]) -> None:
    heard = models.reader.hear(message, ())

    felt = MoodModel.load().felt(heard.emotions, message=message, words=heard.words, scenarios=heard.scenarios, threat=heard.threat)

    assert max(felt, key=lambda name: felt[name]) in moods
