"""What labelled chats teach of meanings and moods: on made-up chats in which one thing decides."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("sklearn")

from knowledge.chats import LabelledChat
from suggest.live import Models
from suggest.moods import MOODS, MoodModel
from suggest.reading_fitting import HeardChat, fit_meaning, fit_moods
from suggest.understanding import HeardMessage, MessageReader

N_CHATS = 60


@pytest.fixture(scope="module")
def reader(models: Models) -> MessageReader:
    return models.reader


def heard_chat(reader: MessageReader, number: int, *, scenario: str, signs: tuple[str, ...], mood: str = "calm", message: str = "到哪了") -> HeardChat:
    """A message that sounds like tracking, whatever it means."""
    needs = np.full(len(reader.needs.labels), 1e-4, dtype=np.float32)
    needs[next(place for place, name in enumerate(reader.needs.labels) if name.startswith("logistics.track/"))] = 0.96
    needs /= needs.sum()
    labels: dict[str, Any] = {"scenarios": [scenario], "emotion": mood}
    chat = LabelledChat.model_validate({"id": f"c-{number}", "store": "tiny", "now": "2026-11-21T10:00:00+08:00", "message": message, "labels": labels})
    emotions = dict.fromkeys(MOODS, 0.25)
    heard = HeardMessage(message, (message,), needs[None], np.ones(1, dtype=np.float32), needs, {"logistics.track": 0.9}, emotions, 0.0, (), needs[:0][None])
    return HeardChat(heard, chat, signs)


def test_an_orders_sign_decides_what_is_meant(reader: MessageReader) -> None:
    chats = [
        heard_chat(reader, number, scenario="logistics.delay" if number % 2 else "logistics.track", signs=("stalled",) if number % 2 else ("moving",))
        for number in range(N_CHATS)
    ]

    model = fit_meaning(chats, reader, MoodModel.as_heard())

    def likeliest(*signs: str) -> str:
        found = model.named(model.meant(chats[0].heard.mixed_needs, signs, chats[0].heard.emotions, 0.0))
        return max(found, key=lambda name: found[name])

    assert likeliest("stalled") == "logistics.delay"
    assert likeliest("moving") == "logistics.track"


def test_the_same_chats_teach_the_same_weights(reader: MessageReader) -> None:
    chats = [heard_chat(reader, number, scenario="logistics.delay", signs=("stalled",)) for number in range(N_CHATS)]

    first, second = (fit_meaning(chats, reader, MoodModel.as_heard()) for _ in range(2))

    assert first.weights.hearing == second.weights.hearing
    assert first.weights.signs.tobytes() == second.weights.signs.tobytes()


def test_too_few_chats_teach_nothing(reader: MessageReader) -> None:
    chats = [heard_chat(reader, number, scenario="logistics.delay", signs=("stalled",)) for number in range(5)]

    assert fit_meaning(chats, reader, MoodModel.as_heard()).signs == ()
    assert fit_moods(chats).card == MoodModel.as_heard().card


def test_marks_decide_between_moods_the_classifier_cannot_tell_apart(reader: MessageReader) -> None:
    moods = {"到哪了": "calm", "到哪了!!": "angry", "到哪了??": "upset", "到哪了？到哪了!": "anxious"}
    chats = [
        heard_chat(reader, number, scenario="logistics.track", signs=(), mood=mood, message=message)
        for number, (message, mood) in enumerate(list(moods.items()) * N_CHATS)
    ]

    model = fit_moods(chats)

    for message, mood in list(moods.items())[:3]:
        felt = model.felt(dict.fromkeys(MOODS, 0.25), message=message, words="到哪了", scenarios={"logistics.track": 0.9}, threat=0.0)
        assert max(felt, key=lambda name: felt[name]) == mood
