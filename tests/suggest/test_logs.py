import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from suggest.api import create_app
from suggest.live import LiveShops, Models
from suggest.logs import JsonLines, configure_logging
from suggest.pipeline import Suggester
from suggest.settings import Settings

MESSAGE = "我的快递呢，门牌号是紫藤巷七七四九号"
NAME = "欧阳紫藤四九"
ORDER_ID = "SECRET-774949"
TRACKING = "XF-SECRET-774949"
SECRETS = ("紫藤", "774949", "七七四九", "SECRET")
BODY = {
    "store": "demo", "message": MESSAGE, "request_id": "req-1", "history": [{"role": "customer", "text": f"我是{NAME}"}],
    "order": {"id": ORDER_ID, "status": "shipped", "logistics": {"status": "in_transit", "tracking_no": TRACKING, "last_event": f"{NAME}已取"}},
    "customer": {"id": "SECRET-1", "name": NAME},
}  # fmt: skip


class BrokenShops:
    """A shop whose pipeline fails with the customer's words in the error."""

    ids = ("demo",)

    def of(self, store: str | None) -> Any:
        raise RuntimeError(f"{store}: {MESSAGE} {ORDER_ID}")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything logged in the process, but by the test's own client, written as the service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    handler.addFilter(lambda record: not record.name.startswith(("httpx", "httpcore")))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def send(shops: Any, models: Models, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    """Sends (method, path, JSON body) to the app in this process; the lifespan's loading is done already."""
    app: FastAPI = create_app(Settings())
    app.state.shops, app.state.embedder = shops, models.embedder

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return [await client.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(run())


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_log_lines_are_json_and_hold_nothing_of_the_customer(logged: io.StringIO, demo_suggester: Suggester, models: Models) -> None:
    shops = LiveShops({"demo": demo_suggester})

    answered, refused, searched = send(
        shops, models,
        ("POST", "/v1/suggestions", BODY),
        ("POST", "/v1/suggestions", BODY | {"order": {"status": "SECRET-774949"}}),
        ("GET", f"/v1/search?q={NAME}", None),
    )  # fmt: skip

    assert [200, 422, 200] == [answered.status_code, refused.status_code, searched.status_code]
    done = [event for event in events(logged) if event["event"] == "suggest.done"]
    assert [("req-1", len(MESSAGE))] == [(event["request_id"], event["message_chars"]) for event in done]
    assert len(answered.json()["suggestions"]) == done[0]["n_drafts"]
    assert [] == [secret for secret in SECRETS if secret in logged.getvalue()]
    texts = [one["text"] for one in answered.json()["suggestions"]]
    assert [] == [text for text in texts if text[:10] in logged.getvalue()]


def test_failure_is_logged_by_its_kind_alone(logged: io.StringIO, models: Models) -> None:
    (failed,) = send(BrokenShops(), models, ("POST", "/v1/suggestions", BODY))

    assert 500 == failed.status_code
    assert "application/problem+json" == failed.headers["content-type"]
    assert [] == [secret for secret in SECRETS if secret in failed.text]
    assert ["RuntimeError"] == [event["error"] for event in events(logged) if event["event"] == "request.failed"]
    assert [] == [secret for secret in SECRETS if secret in logged.getvalue()]


def test_json_lines_give_an_event_its_facts_and_an_error_only_its_name(logged: io.StringIO) -> None:
    try:
        raise ValueError(MESSAGE)
    except ValueError:
        logging.getLogger("huashu.test").exception("request.failed", extra={"n": 3})

    (event,) = events(logged)
    assert {"level": "ERROR", "event": "request.failed", "error": "ValueError", "n": 3} == {name: value for name, value in event.items() if name != "at"}
    assert event["at"].endswith("+00:00")
    assert 1 == len(logged.getvalue().splitlines())


def test_json_lines_keep_line_breaks_inside_one_line() -> None:
    line = JsonLines().format(logging.makeLogRecord({"msg": "two\nlines", "levelname": "INFO"}))

    assert "\n" not in line
    assert "two\nlines" == json.loads(line)["event"]


def test_configure_logging_writes_json_and_drops_access_lines(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, logging.getLogger("uvicorn.access").disabled
    try:
        configure_logging("INFO")
        logging.getLogger("huashu.api").info("service.ready", extra={"shops": ["demo"]})
        logging.getLogger("huashu.api").debug("too.fine")
        logging.getLogger("uvicorn.error").info("started")
        logging.getLogger("uvicorn.access").info("GET /v1/search?q=%s", NAME)
    finally:
        root.handlers[:], root.level = handlers, level
        logging.getLogger("uvicorn.access").disabled = disabled

    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert ["service.ready", "started"] == [event["event"] for event in written]
    assert ["demo"] == written[0]["shops"]
