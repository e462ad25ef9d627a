"""The short way of reading a body never goes round a guard."""

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient

from suggest.contract import SuggestionRequest
from suggest.direct_route import SuggestionRoute


def refuse() -> None:
    raise HTTPException(401)


async def answer(asked: SuggestionRequest, _request: Request) -> PlainTextResponse:
    return PlainTextResponse(asked.message)


def app_with(dependencies: list[object]) -> TestClient:
    app = FastAPI()
    app.router.add_api_route("/ask", answer, methods=["POST"], dependencies=dependencies, route_class_override=SuggestionRoute)  # type: ignore[arg-type]
    return TestClient(app)


def test_a_valid_body_is_answered_and_a_wrong_one_told():
    client = app_with([])

    assert client.post("/ask", json={"message": "发货了吗"}).text == "发货了吗"
    assert client.post("/ask", json={"massage": "发货了吗"}).status_code == 422


def test_a_guard_of_the_endpoint_is_asked_whatever_the_body():
    assert app_with([Depends(refuse)]).post("/ask", json={"message": "发货了吗"}).status_code == 401
