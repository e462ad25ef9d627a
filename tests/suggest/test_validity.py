"""Dates are judged when a request comes, in the shop's timezone, by a real service on the real clock: no reindex at midnight."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from knowledge.shop import load_shop
from scripts.service_process import running_service
from suggest.live import Models
from tests.fakes import write_shop
from tests.suggest.numbered import publish_edition

FIRST, LAST = "Pacific/Kiritimati", "Etc/GMT+12"  # +14:00 and −12:00: never the same day
TODAY = datetime.now(ZoneInfo(FIRST)).date()  # where a day begins first
WORDS = {"ended": "旧活动满百减十", "runs": "今天起满百减二十", "later": "以后满百减三十", "paid": "付款时满百减四十"}
DATES: dict[str, tuple[date | None, date | None]] = {
    "ended": (None, TODAY - timedelta(days=3)),
    "runs": (TODAY, TODAY + timedelta(days=3)),
    "later": (TODAY + timedelta(days=4), None),
    "paid": (TODAY - timedelta(days=9), TODAY - timedelta(days=5)),
}
QUESTION = "满减活动是什么"


def promotions(folder: Path, *, name: str, timezone: str) -> Path:
    """A shop with one text of each kind: over, begun today where days begin first, yet to come, and promised to those who paid last week."""
    shared = {"scenario": "promo.coupon", "triggers": QUESTION, "status": "approved"}
    replies = []
    for key, (begins, ends) in DATES.items():
        days = {"effective_from": str(begins or ""), "effective_to": str(ends or "")} | ({"effective_basis": "paid_at"} if key == "paid" else {})
        cites = {"cites": f"promo-{key}"} if key != "paid" else {}
        replies.append({"id": key, "text": f"{WORDS[key]}，可以参加。", **shared, **days, **cites})
    write_shop(folder, replies=replies)
    toml = folder / "store.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('id = "tiny"', f'id = "{name}"\ntimezone = "{timezone}"'), encoding="utf-8")
    for key, (begins, ends) in DATES.items():
        days = "".join(f"{field}: {day}\n" for field, day in (("effective_from", begins), ("effective_to", ends)) if day)
        front = f"---\nid: promo-{key}\ntitle: 满减活动\nkind: policy\nscenarios: [promo.coupon]\n{days}---\n"
        if key != "paid":
            (folder / "articles" / f"{key}.md").write_text(f"{front}{WORDS[key]}。\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("validity")
    for name, timezone in (("first", FIRST), ("last", LAST)):
        shop = load_shop(promotions(folder / name, name=name, timezone=timezone))
        publish_edition(1, folder / "indexes" / name, folder, models, shop=shop)
    with running_service(folder / "indexes", settings={"SUGGEST_MIN_CONFIDENCE": "0"}) as service, httpx.Client(base_url=service.url, timeout=30) as opened:
        yield opened


def told(client: httpx.Client, store: str, **fields: Any) -> set[str]:
    """Which of the texts are anywhere in the response, whatever field they stand in."""
    answer = client.post("/v1/suggestions", json={"store": store, "message": QUESTION, "top_k": 10, "debug": True} | fields)
    assert 200 == answer.status_code
    return {key for key, words in WORDS.items() if words in answer.text}


def found(client: httpx.Client, store: str, **query: Any) -> dict[str, bool]:
    """Text found by /v1/search → whether it is marked as in force, best first."""
    results = client.get("/v1/search", params={"store": store, "q": QUESTION} | query).json()["results"]
    marked: dict[str, bool] = {}
    for one in results:
        text = one["passage"]["text"] if one["passage"] else one["reply"]["words"]
        marked |= {key: one["in_force"] for key, words in WORDS.items() if words in text}
    return marked


def at(day: date, time: str, zone: str) -> str:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone)).isoformat()


def test_by_the_clock_a_promotion_begins_with_the_shops_own_day(client: httpx.Client) -> None:
    """No `now` is sent: the same promotion runs on the islands where the day has begun, and not yet where it has not."""
    assert {"runs"} == told(client, "first") - {"paid"}
    assert set() == told(client, "last") - {"paid"}


@pytest.mark.parametrize(
    ("day", "time", "expected"),
    [
        (TODAY, "00:00:00", {"runs"}),
        (TODAY - timedelta(days=1), "23:59:59", set()),
        (TODAY - timedelta(days=3), "23:59:59", {"ended"}),
        (TODAY - timedelta(days=2), "00:00:00", set()),
        (TODAY + timedelta(days=3), "23:59:59", {"runs"}),
        (TODAY + timedelta(days=4), "00:00:00", {"later"}),
    ],
)
@pytest.mark.parametrize(("store", "zone"), [("first", FIRST), ("last", LAST)])
def test_both_days_are_in_force_to_the_last_second_of_the_shops_day(
    client: httpx.Client, store: str, zone: str, day: date, time: str, expected: set[str]
) -> None:
    now = at(day, time, zone)

    assert expected == told(client, store, now=now) - {"paid"}
    assert expected == set(found(client, store, now=now)) - {"paid"}


def test_a_promise_by_day_of_payment_holds_for_orders_paid_in_its_time(client: httpx.Client) -> None:
    def order(days_ago: int) -> dict[str, Any]:
        return {"status": "paid", "paid_at": at(TODAY - timedelta(days=days_ago), "12:00:00", FIRST)}

    assert {"runs", "paid"} == told(client, "first", order=order(7))
    assert {"runs"} == told(client, "first", order=order(1))


def test_search_leaves_out_what_is_not_in_force_unless_asked_for_and_then_marks_it(client: httpx.Client) -> None:
    everything = found(client, "first", all_dates=True)

    assert {"runs": True, "paid": True} == found(client, "first")
    assert {"runs": True, "paid": True, "ended": False, "later": False} == everything
    assert [True, True, False, False] == list(everything.values())


def test_an_article_by_its_id_says_whether_it_is_in_force(client: httpx.Client) -> None:
    said = {key: client.get(f"/v1/articles/promo-{key}", params={"store": "first"}).json()["in_force"] for key in ("ended", "runs", "later")}

    assert {"ended": False, "runs": True, "later": False} == said
