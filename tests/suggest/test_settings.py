import os
from pathlib import Path

import pytest

from suggest.errors import InvalidSettings
from suggest.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SUGGEST_"):
            monkeypatch.delenv(name)


def load_from(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(dict(os.environ))


def test_settings_have_defaults() -> None:
    expected = {"index_dir": Path("var/indexes"), "model": "", "min_confidence": None, "max_body_bytes": 512_000, "refresh_seconds": 2, "log_level": "INFO"}

    assert expected == load_settings({}).model_dump()


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_from(
        monkeypatch,
        SUGGEST_INDEX_DIR="/srv/indexes",
        SUGGEST_MIN_CONFIDENCE="0.4",
        SUGGEST_MAX_BODY_BYTES="2000",
        SUGGEST_REFRESH_SECONDS="0.5",
        SUGGEST_LOG_LEVEL="ERROR",
    )

    expected = {"index_dir": Path("/srv/indexes"), "model": "", "min_confidence": 0.4, "max_body_bytes": 2_000, "refresh_seconds": 0.5, "log_level": "ERROR"}
    assert expected == settings.model_dump()


def test_settings_come_from_the_environment_that_was_passed() -> None:
    assert 0.4 == load_settings({"SUGGEST_MIN_CONFIDENCE": "0.4"}).min_confidence


def test_settings_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUGGEST_INDEX_DIR", "/srv/indexes")

    assert Path("/tmp/mine") == load_settings(dict(os.environ), index_dir=Path("/tmp/mine")).index_dir
    assert Path("/srv/indexes") == load_settings(dict(os.environ), index_dir=None).index_dir


def test_settings_empty_min_confidence_means_the_shipped_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its description says."""
    assert load_from(monkeypatch, SUGGEST_MIN_CONFIDENCE="").min_confidence is None


def test_settings_refuse_an_unknown_name_and_list_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match=r"SUGGEST_MIN_CONFIDENCES: expected one of .*SUGGEST_MIN_CONFIDENCE\b"):
        load_from(monkeypatch, SUGGEST_MIN_CONFIDENCES="0.4")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUGGEST_MIN_CONFIDENCE", "1.01"),
        ("SUGGEST_MIN_CONFIDENCE", "-0.1"),
        ("SUGGEST_MIN_CONFIDENCE", "high"),
        ("SUGGEST_MAX_BODY_BYTES", "999"),
        ("SUGGEST_MAX_BODY_BYTES", "10000001"),
        ("SUGGEST_REFRESH_SECONDS", "-1"),
        ("SUGGEST_REFRESH_SECONDS", "3601"),
        ("SUGGEST_LOG_LEVEL", "LOUD"),
    ],
)
def test_settings_refuse_a_value_out_of_range(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_from(monkeypatch, **{name: value})

    assert name == refused.value.name
    assert value == refused.value.value


@pytest.mark.parametrize("value", ["0", "1"])
def test_settings_take_both_ends_of_the_range(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert float(value) == load_from(monkeypatch, SUGGEST_MIN_CONFIDENCE=value).min_confidence


def test_settings_ignore_what_is_not_theirs() -> None:
    assert load_settings({}) == load_settings({"PATH": "/bin", "HUASHU_SUGGEST_X": "1"})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).model = "another"  # type: ignore[misc]
