"""What is meant by what is heard, worked out by hand for three scenarios."""

from pathlib import Path

import numpy as np
import pytest

from suggest.live import Models
from suggest.meaning import HEARD_FLOOR, MOOD_FEATURES, MeaningModel, MeaningWeights

SCENARIOS = ("logistics.delay", "logistics.track", "refund.status")
NEEDS = ("logistics.track/where", "refund.status/when", "refund.status/why")
SIGNS = ("state shipped_stalled", "case return")
HEARD = np.array([0.3, 0.5, 0.2], dtype=np.float32)
CALM = {"calm": 1.0}


def weights(*, hearing: float = 1.0, signs: list[list[float]] | None = None, moods: list[list[float]] | None = None) -> MeaningWeights:
    return MeaningWeights(
        hearing,
        bias=np.zeros(3, dtype=np.float32),
        signs=np.array(signs or [[0, 0, 0], [0, 0, 0]], dtype=np.float32),
        moods=np.array(moods or np.zeros((len(MOOD_FEATURES), 3)), dtype=np.float32),
        needs=np.zeros((3, 3), dtype=np.float32),
    )


def meant(own: MeaningWeights, *signs: str, moods: dict[str, float] = CALM, threat: float = 0.0) -> dict[str, float]:
    model = MeaningModel(SCENARIOS, SIGNS, NEEDS, own)
    return model.named(model.meant(HEARD, signs, moods, threat))


def test_needs_sum_to_their_scenarios() -> None:
    assert MeaningModel(SCENARIOS, SIGNS, NEEDS, weights()).heard(HEARD) == pytest.approx([0.0, 0.3, 0.7])


def test_without_weights_words_mean_what_they_sound_like_but_for_the_floor() -> None:
    assert meant(weights()) == pytest.approx({"logistics.delay": HEARD_FLOOR / 1.003, "logistics.track": 0.301 / 1.003, "refund.status": 0.701 / 1.003})


def test_a_sign_of_the_order_speaks_for_what_nobody_heard() -> None:
    own = weights(signs=[[np.log(1000.0), 0, 0], [0, 0, 0]])

    # 0.001 · 1000 = 1 beside 0.301 and 0.701
    assert meant(own, "state shipped_stalled") == pytest.approx(
        {"logistics.delay": 1 / 2.002, "logistics.track": 0.301 / 2.002, "refund.status": 0.701 / 2.002}
    )


def test_signs_add_up_and_unknown_ones_say_nothing() -> None:
    own = weights(signs=[[1.0, 0, 0], [0, 0, -2.0]])

    both = meant(own, "state shipped_stalled", "case return", "state never seen")

    expected = np.array([0.001 * np.e, 0.301, 0.701 * np.exp(-2)])
    assert list(both.values()) == pytest.approx(list(expected / expected.sum()))


def test_moods_and_threats_weigh_by_their_probability() -> None:
    own = weights(moods=[[0, 0, 1.0], [0, 0, 0], [0, 2.0, 0], [1.0, 0, 0]])

    felt = meant(own, moods={"upset": 0.5, "angry": 0.25, "anxious": 0.1, "calm": 0.15}, threat=0.4)

    expected = np.array([0.001 * np.exp(0.4), 0.301 * np.exp(0.2), 0.701 * np.exp(0.75)])
    assert list(felt.values()) == pytest.approx(list(expected / expected.sum()))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    own = MeaningWeights(0.8, *(rng.normal(size=shape).astype(np.float32) for shape in ((3,), (2, 3), (len(MOOD_FEATURES), 3), (3, 3))))
    model = MeaningModel(SCENARIOS, SIGNS, NEEDS, own)

    model.write(tmp_path)

    read = MeaningModel.load(tmp_path)
    assert (read.scenarios, read.signs, read.needs) == (SCENARIOS, SIGNS, NEEDS)
    assert read.meant(HEARD, SIGNS, CALM, 0.2).tolist() == model.meant(HEARD, SIGNS, CALM, 0.2).tolist()


def test_a_reader_whose_classifier_gives_other_needs_is_refused(models: Models) -> None:
    other = MeaningModel(SCENARIOS, SIGNS, NEEDS, weights())

    with pytest.raises(ValueError, match="fitted on other needs"):
        models.reader.understanding_by(meaning=other)


# ---- the model that ships --------------------------------------------------------------------------------------------------------


def top(models: Models, message: str, *signs: str) -> str:
    reader = models.reader
    heard = reader.hear(message, ())
    model = MeaningModel.load()
    found = model.named(model.meant(heard.mixed_needs, signs, heard.emotions, heard.threat))
    return max(found, key=lambda name: found[name])


def test_the_shipped_model_reads_one_message_by_the_order(models: Models) -> None:
    said = "还没收到"

    assert top(models, said, "state shipped_stalled", "parcel stalled") in ("logistics.delay", "logistics.lost", "logistics.track")
    assert top(models, said, "state unshipped_overdue") == "order.expedite"
    assert top(models, said, "state case", "case return", "case refunding", "case return refunding").startswith("refund.")
