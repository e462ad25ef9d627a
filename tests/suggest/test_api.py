"""The service in its own process, over HTTP, as a console plugin meets it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from suggest.contract import EXAMPLE_REQUEST, SuggestionRequest, SuggestionResponse

SECRET = "紫藤巷七七四九号"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def client(live_server: str):
    with httpx.Client(base_url=live_server, timeout=30) as opened:
        yield opened


def suggest(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/v1/suggestions", json={"store": "demo", "message": "快递到哪里了"} | fields)


def without_timings(response: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name != "timings_ms"}


def test_example_request_is_answered_in_the_contracts_form(client: httpx.Client) -> None:
    response = client.post("/v1/suggestions", json=EXAMPLE_REQUEST)
    body = response.json()

    assert 200 == response.status_code
    assert "application/json" == response.headers["content-type"]
    assert set(SuggestionResponse.model_fields) - {"debug"} <= set(body)
    assert SuggestionResponse.model_validate(body).model_dump(mode="json", exclude={"timings_ms", "debug"}) == {
        name: value for name, value in body.items() if name not in ("timings_ms", "debug")
    }
    assert EXAMPLE_REQUEST["request_id"] == body["request_id"]
    assert body["abstained"] is None
    first = body["suggestions"][0]
    assert first["reply_id"].startswith(("expedite-overdue", "cancel-overdue"))
    assert first["sendable"] is True
    assert first["text"] and first["why"]
    assert {"understand", "retrieve", "rank", "draft", "total"} == set(body["timings_ms"])


def test_debug_adds_signals_and_the_nearest(client: httpx.Client) -> None:
    plain, told = suggest(client).json(), suggest(client, debug=True).json()

    assert {None} == {one.get("signals") for one in plain["suggestions"]}
    assert plain.get("debug") is None
    assert {float} == {type(part) for one in told["suggestions"] for part in one["signals"].values()}
    assert told["debug"]["nearest"]
    assert [one["text"] for one in plain["suggestions"]] == [one["text"] for one in told["suggestions"]]


def test_now_defaults_to_the_clock_and_request_id_to_one_of_its_own(client: httpx.Client) -> None:
    once, again = suggest(client).json(), suggest(client).json()

    assert once["request_id"]
    assert once["request_id"] != again["request_id"]


def test_emoji_alone_is_answered_by_abstaining(client: httpx.Client) -> None:
    response = suggest(client, message="😀😀")

    assert 200 == response.status_code
    assert "no_words" == response.json()["abstained"]["reason"]
    assert [] == response.json()["suggestions"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.shop+json", "Application/JSON"])
def test_however_json_is_declared_the_answer_is_the_same(client: httpx.Client, content_type: str) -> None:
    body = json.dumps(EXAMPLE_REQUEST).encode()  # declared plainly, it is read straight from its bytes; declared otherwise, the ordinary way

    plain, other = (client.post("/v1/suggestions", content=body, headers={"content-type": one}) for one in ("application/json", content_type))

    assert 200 == plain.status_code == other.status_code
    assert without_timings(plain) == without_timings(other)


def test_what_is_not_declared_to_be_json_is_refused(client: httpx.Client) -> None:
    response = client.post("/v1/suggestions", content=json.dumps(EXAMPLE_REQUEST).encode(), headers={"content-type": "text/plain"})

    assert 422 == response.status_code
    assert PROBLEM == response.headers["content-type"]


# ---- what is refused ---------------------------------------------------------------------------------------------------------


def of(**fields: Any) -> bytes:
    return json.dumps({"store": "demo", "message": f"{SECRET}的快递呢"} | fields).encode()


TURN = {"role": "customer", "text": SECRET}
BAD: dict[str, tuple[bytes, int, str]] = {
    "malformed JSON": (f'{{"message": "{SECRET}'.encode(), 422, "body"),
    "not UTF-8": (b"\xff\xfe{}", 422, "body"),
    "no body": (b"", 422, "body"),
    "a list": (b"[]", 422, "body"),
    "a string": (f'"{SECRET}"'.encode(), 422, "body"),
    "unknown field": (of(mesage="x"), 422, "mesage"),
    "misspelt order field": (of(order={"statuss": "paid"}), 422, "order.statuss"),
    "misspelt logistics field": (of(order={"logistics": {"tracking": SECRET}}), 422, "order.logistics.tracking"),
    "impossible date": (of(order={"paid_at": "2026-02-30T10:00:00+08:00"}), 422, "order.paid_at"),
    "impossible day": (of(order={"logistics": {"eta": "2026-02-30"}}), 422, "order.logistics.eta"),
    "words for a day": (of(order={"logistics": {"eta": SECRET + "收件"}}), 422, "order.logistics.eta"),
    "words for a time": (of(order={"paid_at": SECRET}), 422, "order.paid_at"),
    "time without offset": (of(order={"paid_at": "2026-11-20T10:00:00"}), 422, "order.paid_at"),
    "now without offset": (of(now="2026-11-20T10:00:00"), 422, "now"),
    "numeric time": (of(order={"paid_at": 1_760_000_000}), 422, "order.paid_at"),
    "numeric day": (of(order={"logistics": {"eta": 20261120}}), 422, "order.logistics.eta"),
    "numeric now": (of(now=1_760_000_000), 422, "now"),
    "numeric time of a turn": (of(history=[TURN | {"at": 1_760_000_000}]), 422, "history.0.at"),
    "time of a turn without offset": (of(history=[TURN | {"at": "2026-11-20T10:00:00"}]), 422, "history.0.at"),
    "float money": (of(order={"amount_paid": 129.5}), 422, "order.amount_paid"),
    "words for money": (of(order={"amount_paid": SECRET}), 422, "order.amount_paid"),
    "money that is no number": (of(order={"amount_paid": "NaN"}), 422, "order.amount_paid"),
    "negative money": (of(order={"amount_paid": "-1"}), 422, "order.amount_paid"),
    "wrong status": (of(order={"status": SECRET}), 422, "order.status"),
    "wrong tier": (of(customer={"tier": "gold"}), 422, "customer.tier"),
    "wrong role": (of(agent={"role": "boss"}), 422, "agent.role"),
    "top_k 0": (of(top_k=0), 422, "top_k"),
    "top_k 11": (of(top_k=11), 422, "top_k"),
    "top_k in words": (of(top_k="three"), 422, "top_k"),
    "no message": (b'{"store": "demo"}', 422, "message"),
    "empty message": (of(message=""), 422, "message"),
    "blank message": (of(message=" \n\t"), 422, "message"),
    "invisible message": (of(message="\u200b\u2060"), 422, "message"),
    "message of 5,000 characters": (of(message=SECRET + "x" * 5_000), 422, "message"),
    "message of 1 MB": (of(message=SECRET + "x" * 1_000_000), 413, "bytes"),
    "message is a number": (of(message=5), 422, "message"),
    "message is null": (of(message=None), 422, "message"),
    "half a surrogate pair": (b'{"store": "demo", "message": "\\ud800"}', 422, "message"),
    "history is words": (of(history=SECRET), 422, "history"),
    "history of 10,000 turns": (of(history=[{"role": "customer", "text": "在"}] * 10_000), 422, "history"),
    "unknown role in a turn": (of(history=[TURN | {"role": "bot"}]), 422, "history.0.role"),
    "order is a list": (of(order=[SECRET]), 422, "order"),
    "quantity in words": (of(order={"items": [{"quantity": SECRET}]}), 422, "order.items.0.quantity"),
    "channel in capitals": (of(channel="IM"), 422, "channel"),
    "request_id with a space": (of(request_id=f"{SECRET} 1"), 422, "request_id"),
    "unknown store": (of(store="nowhere"), 404, "nowhere"),
    "no store while two are served": (of(store=None), 422, "store"),
    "nesting without end": (b'{"message":' + b"[" * 100_000, 400, "body"),
}


@pytest.mark.parametrize(("body", "status", "named"), BAD.values(), ids=BAD)
def test_bad_input_is_a_problem_that_names_the_field_and_repeats_no_words(client: httpx.Client, body: bytes, status: int, named: str) -> None:
    response = client.post("/v1/suggestions", content=body, headers={"content-type": "application/json"})

    assert status == response.status_code, response.text
    assert PROBLEM == response.headers["content-type"]
    problem = response.json()
    assert status == problem["status"]
    assert problem["type"].startswith("https://")
    assert problem["title"]
    assert named in problem["detail"]
    assert SECRET not in json.dumps(problem, ensure_ascii=False)


def test_bad_input_is_told_of_all_at_once(client: httpx.Client) -> None:
    problem = suggest(client, top_k=0, order={"status": "gone", "paid_at": 5}).json()

    assert ["order.status", "order.paid_at", "top_k"] == [error["field"] for error in problem["errors"]]
    assert all(error["expected"] for error in problem["errors"])


def test_body_that_grows_too_large_without_saying_so_is_refused(client: httpx.Client) -> None:
    whole = of(message="x" * 1_000_000)
    response = client.post("/v1/suggestions", content=(whole[i : i + 65_536] for i in range(0, len(whole), 65_536)))

    assert 413 == response.status_code
    assert PROBLEM == response.headers["content-type"]


def test_server_still_answers_after_all_bad_input(client: httpx.Client) -> None:
    for body, _, _ in BAD.values():
        client.post("/v1/suggestions", content=body, headers={"content-type": "application/json"})

    assert 200 == suggest(client).status_code


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/suggestions", 405),
        ("POST", "/healthz", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/articles/none-such?store=demo", 404),
        ("GET", "/v1/replies/none-such?store=demo", 404),
        ("GET", "/v1/replies/expedite-instant?store=demo", 404),  # blocked
        ("GET", "/v1/replies/modify-gift-card?store=demo", 404),  # draft
        ("GET", "/v1/articles/ship-48h?store=nowhere", 404),
        ("GET", "/v1/articles/ship-48h", 422),  # two shops are served
        ("GET", "/v1/search?store=demo", 422),
        ("GET", "/v1/search?store=demo&q=", 422),
        ("GET", "/v1/search?store=demo&q=x&kind=chat", 422),
        ("GET", f"/v1/search?store=demo&q={'x' * 201}", 422),
        ("GET", "/v1/search?store=nowhere&q=x", 404),
    ],
)
def test_wrong_path_method_or_query_is_a_problem(client: httpx.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path)

    assert status == response.status_code
    assert PROBLEM == response.headers["content-type"]
    assert status == response.json()["status"]
    assert {"type", "title", "status", "detail"} <= set(response.json())


# ---- knowledge ---------------------------------------------------------------------------------------------------------------


def found(client: httpx.Client, **query: str) -> list[dict[str, Any]]:
    response = client.get("/v1/search", params={"store": "demo"} | query)
    assert 200 == response.status_code
    return response.json()["results"]


def test_search_finds_articles_and_replies_best_first(client: httpx.Client) -> None:
    results = found(client, q="怎么申请价保")

    assert list(range(1, len(results) + 1)) == [one["rank"] for one in results]
    assert {"article", "reply"} == {one["kind"] for one in results}
    assert next(one for one in results if one["kind"] == "article")["passage"]["article_id"].startswith("price-protection")
    assert next(one for one in results if one["kind"] == "reply")["reply"]["scenario"] == "promo.price_protection"


@pytest.mark.parametrize("kind", ["article", "reply"])
def test_search_by_kind(client: httpx.Client, kind: str) -> None:
    results = found(client, q="退货运费", kind=kind)

    assert results
    assert {kind} == {one["kind"] for one in results}
    assert all((one["passage"] is not None, one["reply"] is not None) == (kind == "article", kind == "reply") for one in results)


def test_search_by_scenario(client: httpx.Client) -> None:
    results = found(client, q="运费", scenario="invoice", kind="reply")

    assert results
    assert {"invoice"} == {one["reply"]["scenario"] for one in results}


def test_search_by_product_leaves_out_what_is_for_others(client: httpx.Client) -> None:
    results = found(client, q="怎么洗", product="CL-001", kind="reply")

    assert "care-down-wash" in {one["reply"]["reply_id"] for one in results}
    assert all(not one["reply"]["products"] or {"CL-001", "服饰", "服饰/外套"} & set(one["reply"]["products"]) for one in results)


def test_search_of_a_scenario_without_texts_is_empty(client: httpx.Client) -> None:
    assert [] == found(client, q="运费", scenario="none.such")


def test_search_never_shows_what_is_not_approved(client: httpx.Client) -> None:
    """The words of the blocked expedite-instant and delay-tomorrow-blocked."""
    for words in ("今天必须发 插队给我先发", "给个准话明天到不到"):
        assert not {"expedite-instant", "delay-tomorrow-blocked"} & {one["reply"]["reply_id"] for one in found(client, q=words, kind="reply")}


def test_article_is_given_whole_with_its_passages(client: httpx.Client) -> None:
    body = client.get("/v1/articles/promo-double11", params={"store": "demo"}).json()

    assert ("promo-double11", "双11活动：满300减50") == (body["article"]["id"], body["article"]["title"])
    assert ("2026-10-20", "2026-11-11") == (body["article"]["effective_from"], body["article"]["effective_to"])
    assert [body["article"]["body"][passage["start"] : passage["end"]] for passage in body["passages"]] == [passage["text"] for passage in body["passages"]]
    assert {"活动时间和力度", "和优惠券怎么叠加", "凑单与退货"} <= {passage["heading"] for passage in body["passages"]}
    assert isinstance(body["in_force"], bool)


def test_reply_is_given_as_its_writer_wrote_it(client: httpx.Client) -> None:
    body = client.get("/v1/replies/expedite-overdue", params={"store": "demo"}).json()

    assert ("expedite-overdue", "order.expedite", "approved") == (body["reply"]["id"], body["reply"]["scenario"], body["reply"]["status"])
    assert "order.ship_overdue" in body["reply"]["when"]
    assert body["in_force"] is True


def test_one_shops_knowledge_is_not_found_in_the_other(client: httpx.Client) -> None:
    assert 404 == client.get("/v1/replies/expedite-overdue", params={"store": "demo_en"}).status_code
    assert 200 == client.get("/v1/replies/exp-overdue", params={"store": "demo_en"}).status_code


# ---- operations and documentation --------------------------------------------------------------------------------------------


def test_healthz(client: httpx.Client) -> None:
    response = client.get("/healthz")

    assert (200, {"status": "ok"}) == (response.status_code, response.json())


def test_readyz_tells_each_shops_snapshot(client: httpx.Client) -> None:
    body = client.get("/readyz").json()

    assert ("ready", {}, "") == (body["status"], body["failing"], body["detail"])
    assert ["demo", "demo_en"] == sorted(body["shops"])
    assert suggest(client).json()["snapshot_id"] == body["shops"]["demo"]


@pytest.fixture(scope="module")
def openapi(client: httpx.Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def test_openapi_describes_every_operation_and_parameter(openapi: dict[str, Any]) -> None:
    operations = {f"{method} {path}": operation for path, methods in openapi["paths"].items() for method, operation in methods.items()}

    assert {
        "post /v1/suggestions", "get /v1/search", "get /v1/articles/{article_id}", "get /v1/replies/{reply_id}", "get /healthz", "get /readyz", "get /metrics"
    } <= set(operations)  # fmt: skip
    assert [] == [name for name, operation in operations.items() if not operation.get("description")]


def test_openapi_describes_every_field_of_a_request(openapi: dict[str, Any]) -> None:
    """In its own words, or in those of the model that it is."""
    schemas = openapi["components"]["schemas"]

    def described(field: dict[str, Any]) -> bool:
        models = [option["$ref"].rsplit("/", 1)[-1] for option in [field, *field.get("anyOf", [])] if "$ref" in option]
        return bool(field.get("description")) or any(schemas[model].get("description") for model in models)

    assert [] == [name for name, field in schemas["SuggestionRequest"]["properties"].items() if not described(field)]


def test_openapi_examples_validate_and_are_answered(client: httpx.Client, openapi: dict[str, Any]) -> None:
    examples = openapi["components"]["schemas"]["SuggestionRequest"]["examples"]

    assert examples
    for example in examples:
        SuggestionRequest.model_validate(example)
        assert 200 == client.post("/v1/suggestions", json=example).status_code


# ---- at the same time --------------------------------------------------------------------------------------------------------


def test_sixteen_at_once_get_the_answers_each_gets_alone(live_server: str) -> None:
    messages = ["还没收到", "发票怎么开", "我想退货，运费谁出", "快递到哪了？另外发票怎么开"]
    bodies = [
        {"store": "demo", "message": message, "now": "2026-11-24T10:05:00+08:00", "request_id": "same", "order": {"status": "paid", "paid_at": at}}
        for message in messages
        for at in ("2026-11-24T05:00:00+08:00", "2026-11-20T05:00:00+08:00")
    ]
    with httpx.Client(base_url=live_server, timeout=60) as client:
        alone = [without_timings(client.post("/v1/suggestions", json=body)) for body in bodies]

        def ask(n: int) -> dict[str, Any]:
            return without_timings(client.post("/v1/suggestions", json=bodies[n % len(bodies)]))

        with ThreadPoolExecutor(16) as threads:
            together = list(threads.map(ask, range(64)))

    assert [alone[n % len(bodies)] for n in range(64)] == together
    assert 8 == len({json.dumps(answer) for answer in alone})
