import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

torch = pytest.importorskip("torch")
pytest.importorskip("pypinyin")

from indexes.classifier import TextClassifier, ngram_codes, softmax  # noqa: E402
from indexes.fitting import FitRecipe, FitReport, fit_classifier, refit_temperature  # noqa: E402
from tests.fakes import FakeEmbedder  # noqa: E402

NAMES = {"invoice/issue": "开发票", "refund.status/when": "退款", "logistics.track/where": "快递"}
FRAMES = ("{}什么时候好", "想问一下{}", "{}怎么办理", "麻烦查查{}", "我的{}呢", "{}要等多久", "关于{}的问题", "还没有{}", "帮我看{}", "{}有规定吗")
SAMPLES = [(frame.format(word), need) for (need, word), frame in itertools.product(NAMES.items(), FRAMES)]
TEXTS, LABELS = [text for text, _ in SAMPLES], [need for _, need in SAMPLES]
HELD_OUT = [number % 5 == 0 for number in range(len(SAMPLES))]
TINY = FitRecipe(width=8, min_count=1, epochs=15, batch_size=8, learning_rate=3e-2, misspelt=0.0, members=1)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Handing so little to several threads costs more than the work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fit(folder: Path, texts: list[str] = TEXTS, labels: list[str] = LABELS, recipe: FitRecipe = TINY, **fields: Any) -> tuple[FitReport, TextClassifier]:
    report = fit_classifier(texts, labels, FakeEmbedder(), folder, recipe=recipe, **{"held_out": HELD_OUT} | fields)
    return report, TextClassifier(folder, FakeEmbedder())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[FitReport, TextClassifier, Path]:
    folder = tmp_path_factory.mktemp("fitted") / "needs"
    return (*fit(folder), folder)


def likeliest(classifier: TextClassifier, texts: list[str]) -> list[str]:
    return [classifier.labels[row] for row in classifier.probabilities(texts).argmax(axis=1)]


def test_it_learns_what_tells_the_needs_apart(fitted: tuple[FitReport, TextClassifier, Path]):
    _, classifier, _ = fitted

    assert classifier.labels == tuple(sorted(NAMES))
    assert likeliest(classifier, TEXTS) == LABELS
    assert likeliest(classifier, ["你们家退款", "快递", "开发票开发票"]) == ["refund.status/when", "logistics.track/where", "invoice/issue"]


def test_probabilities_sum_to_one_even_for_what_was_never_seen(fitted: tuple[FitReport, TextClassifier, Path]):
    _, classifier, _ = fitted

    rows = classifier.probabilities([*TEXTS, "", "😀", "zzz", "很长" * 500])

    assert rows.min() >= 0
    assert rows.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)


def test_the_report_is_of_the_held_out_texts(fitted: tuple[FitReport, TextClassifier, Path]):
    report, classifier, _ = fitted
    measured = [row for row, held_out in enumerate(HELD_OUT) if held_out]
    right = [guess == LABELS[row] for row, guess in zip(measured, likeliest(classifier, [TEXTS[row] for row in measured]), strict=True)]

    assert (report.n_train, report.n_held_out) == (24, 6)
    assert report.accuracy == pytest.approx(np.mean(right))


def test_nothing_is_learnt_from_held_out_texts(tmp_path: Path):
    """Held-out texts say the contrary, in n-grams of their own: weights and n-grams are as if they had other labels."""
    texts = [*TEXTS, "魑魅退款", "魍魉快递"]
    wrong, right = (fit(tmp_path / name, texts, LABELS + labels, held_out=[False] * len(TEXTS) + [True] * 2)
                    for name, labels in (("wrong", ["invoice/issue"] * 2), ("right", ["refund.status/when", "logistics.track/where"])))  # fmt: skip

    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("wrong", "right"))
    assert all((one[name] == other[name]).all() for name in one)
    assert set(one["codes"].tolist()) == {code for text in TEXTS for code in ngram_codes(text)}  # none of 魑魅魍魉
    assert (wrong[0].accuracy, right[0].accuracy) == (0.0, 1.0)


def test_a_twentieth_is_held_out_when_none_is_named(tmp_path: Path):
    report, _ = fit(tmp_path / "needs", TEXTS * 10, LABELS * 10, recipe=replace(TINY, epochs=1), held_out=())

    assert report.n_train + report.n_held_out == 300
    assert 5 <= report.n_held_out <= 30


def test_misspelt_copies_are_added_of_trained_texts_alone(tmp_path: Path):
    report, _ = fit(tmp_path / "needs", recipe=replace(TINY, epochs=1, misspelt=1.0))

    with_four_characters = 24 - sum(len(text) < 4 for text, held_out in zip(TEXTS, HELD_OUT, strict=True) if not held_out)
    assert (report.n_train, report.n_held_out) == (24 + with_four_characters, 6)
    known = set(load_file(tmp_path / "needs" / "model.safetensors")["codes"].tolist())
    assert known > {code for text, held_out in zip(TEXTS, HELD_OUT, strict=True) if not held_out for code in ngram_codes(text)}


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(tmp_path: Path):
    short = replace(TINY, epochs=2, misspelt=0.3)
    for name, recipe in (("one", short), ("same", short), ("other", replace(short, seed=1))):
        fit(tmp_path / name, recipe=recipe)

    contents = {name: (tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "same", "other")}
    assert contents["one"] == contents["same"] != contents["other"]
    assert (tmp_path / "one" / "labels.json").read_bytes() == (tmp_path / "same" / "labels.json").read_bytes()


def test_members_are_averaged(tmp_path: Path):
    """As two fits of one, from the two starts; a weight in a byte costs a little."""
    singles = [fit(tmp_path / str(number), recipe=replace(TINY, members=1, seed=TINY.seed + number))[1].logits(TEXTS) for number in range(2)]
    both = fit(tmp_path / "both", recipe=replace(TINY, members=2))[1].logits(TEXTS)

    assert np.abs(singles[0] - singles[1]).max() > 0.5
    assert both == pytest.approx((singles[0] + singles[1]) / 2, abs=0.1)


@pytest.mark.parametrize("min_count", [1, 2, 5])
def test_rare_ngrams_are_left_out(tmp_path: Path, min_count: int):
    fit(tmp_path / "needs", recipe=replace(TINY, epochs=1, min_count=min_count), held_out=HELD_OUT)

    trained = [text for text, held_out in zip(TEXTS, HELD_OUT, strict=True) if not held_out]
    everything = [code for text in trained for code in ngram_codes(text)]
    assert load_file(tmp_path / "needs" / "model.safetensors")["codes"].tolist() == sorted(
        code for code in set(everything) if everything.count(code) >= min_count
    )


def test_texts_without_a_known_ngram_are_trained_on_and_read(tmp_path: Path):
    """No n-gram comes a thousand times: only the static vector is left, and it is enough."""
    report, classifier = fit(tmp_path / "needs", recipe=replace(TINY, min_count=1_000, dropout=0.0, epochs=60))

    assert report.accuracy == 1.0
    assert likeliest(classifier, TEXTS) == LABELS
    assert classifier.probabilities([""]).sum() == pytest.approx(1, abs=1e-6)


def test_the_temperature_makes_held_out_probabilities_the_likeliest(fitted: tuple[FitReport, TextClassifier, Path]):
    """Brute force over a finer grid: no other temperature explains the held-out labels noticeably better."""
    report, classifier, _ = fitted
    measured = [row for row, held_out in enumerate(HELD_OUT) if held_out]
    logits = classifier.logits([TEXTS[row] for row in measured])
    target = [classifier.labels.index(LABELS[row]) for row in measured]

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(logits / temperature)[np.arange(len(target)), target]).mean())

    assert loss(report.temperature) <= min(loss(float(one)) for one in np.linspace(0.2, 3.0, 500)) + 0.01


def test_the_temperature_is_refitted_on_groups_and_nothing_else_changes(tmp_path: Path):
    _, classifier = fit(tmp_path / "needs")
    weights = (tmp_path / "needs" / "model.safetensors").read_bytes()
    texts = [*TEXTS, *TEXTS]
    groups = [label.split("/")[0] for label in LABELS] + [label.split("/")[0] for label in LABELS[7:] + LABELS[:7]]  # half of them are wrong

    temperature = refit_temperature(tmp_path / "needs", classifier, [*texts, "别的"], [*groups, "no.such_group"])

    logits = classifier.logits(texts)
    target = [classifier.labels.index(next(label for label in classifier.labels if label.startswith(f"{group}/"))) for group in groups]
    losses = {float(t): float(-np.log(softmax(logits / t)[np.arange(len(target)), target]).mean()) for t in np.linspace(0.2, 2.0, 37)}
    assert temperature == min(losses, key=lambda t: losses[t])
    card = json.loads((tmp_path / "needs" / "labels.json").read_text(encoding="utf-8"))
    assert card == {"labels": list(classifier.labels), "temperature": pytest.approx(temperature, abs=1e-4)}
    assert weights == (tmp_path / "needs" / "model.safetensors").read_bytes()


@pytest.mark.parametrize("held_out", [[False, False], [True, True]])
def test_nothing_to_train_or_calibrate_on_is_told(tmp_path: Path, held_out: list[bool]):
    with pytest.raises(ValueError, match="held out to calibrate on"):
        fit_classifier(["怎么退", "开发票"], ["a/b", "c/d"], FakeEmbedder(), tmp_path / "needs", held_out=held_out)

    assert not (tmp_path / "needs").exists()
