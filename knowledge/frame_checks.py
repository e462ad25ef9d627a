"""Whether a shop's openings and closings can ever be used: conditions and templates compile, names are those of the calendar."""

from collections.abc import Iterator

from knowledge.conditions import compile_condition
from knowledge.errors import BadRow, InvalidCondition, InvalidTemplate
from knowledge.holiday_dates import has_holidays
from knowledge.records import Store
from knowledge.scenarios import SCENARIOS
from knowledge.style_records import Frame
from knowledge.templates import compile_template

ANY = "*"


def frame_mistakes(store: Store) -> Iterator[BadRow]:
    """Gives every mistake with the list and number of its frame, such as `style.openings 2 when`."""
    if store.country and not has_holidays(store.country):
        yield BadRow("store.toml", 1, "country", "expected a country's two letters whose holidays are known, such as CN, TW, HK or US", store.country)
    for name, frames in (("openings", store.style.openings), ("closings", store.style.closings), ("empathy", store.style.empathy)):
        for number, frame in enumerate(frames, start=1):
            for field, expected, got in _mistakes(frame, store):
                yield BadRow("store.toml", 1, f"style.{name} {number} {field}", expected, got)


def _mistakes(frame: Frame, store: Store) -> Iterator[tuple[str, str, str]]:
    try:
        compile_condition(frame.when)
    except InvalidCondition as error:
        yield "when", error.reason, frame.when
    try:
        compile_template(frame.text)
    except InvalidTemplate as error:
        yield "text", error.reason, frame.text
    if frame.holidays and not store.country:
        yield "holidays", 'expected the shop\'s country in store.toml, such as country = "CN"', ", ".join(frame.holidays)
    running = {promotion.name for promotion in store.calendar}
    for name in frame.promotions:
        if name != ANY and name not in running:
            yield "promotions", "expected a promotion of the calendar, or *", name
    groups = {scenario.split(".")[0] for scenario in SCENARIOS}
    for name in frame.scenarios:
        if name not in SCENARIOS and name not in groups and "." not in name:
            yield "scenarios", "expected a scenario or a group of them, such as product", name
