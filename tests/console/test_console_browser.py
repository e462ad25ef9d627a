"""The agent console in a real browser: what an agent sees and does. Needs Chromium; skipped, with the reason, where there is none."""

import json
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files

import pytest

from knowledge.fact_paths import CONDITION_FACTS, fact_name
from knowledge.scenarios import SCENARIOS

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need the playwright package")
from playwright.sync_api import Browser, Locator, Page, Route, expect  # noqa: E402  # after the skip above

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync", "--disable-component-update"]
NONSENSE = "？！……？"  # no words at all: no shop has a reply to it, however its models were trained


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the file."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed; the console's browser tests need it")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, live_server: str) -> Iterator[Page]:
    """The console, opened afresh (nothing remembered), with its shops loaded. An error thrown in the page fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
    opened = context.new_page()
    thrown: list[str] = []
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    opened.goto(f"{live_server}/console")
    expect(opened.locator("#order option[value=paid]")).to_be_attached()
    yield opened
    context.close()
    assert thrown == []


def ask(page: Page, message: str) -> None:
    """Types the message, sends it with Enter, waits for the answer."""
    page.locator("#message").fill(message)
    page.locator("#message").press("Enter")
    answered(page)


def answered(page: Page) -> None:
    """Waits until no request is under way and there is a result; the page marks itself busy as soon as one starts."""
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#empty")).to_be_hidden()


def first_text(page: Page) -> Locator:
    """The words of the first draft."""
    return page.get_by_test_id("draft-text").first


def choose_order(page: Page, order: str) -> None:
    """Chooses a sample order."""
    page.locator("#order").select_option(order)


def test_page_opens_with_the_shop_its_sample_orders_and_conversations(page: Page) -> None:
    """Nothing has to be typed to see what can be tried."""
    page.locator("#shop").select_option("demo")

    orders = page.locator("#order option").evaluate_all("options => options.map(option => option.value)")
    assert {"none", "paid", "stalled", "delivered-6d"} <= set(orders)
    expect(page.locator("#sample-1")).to_be_visible()
    expect(page.locator("#empty")).to_be_visible()


def test_page_asks_nothing_of_any_other_host(browser: Browser, live_server: str) -> None:
    """The page is one file: it loads only from the service itself."""
    context = browser.new_context()
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))

    opened.goto(f"{live_server}/console")
    expect(opened.locator("#order option[value=paid]")).to_be_attached()
    context.close()

    assert [url for url in asked if not url.startswith((live_server, "data:"))] == []


def test_message_and_paid_order_give_drafts_with_confidence(page: Page) -> None:
    """The first look: words and a paid order in, ranked drafts out."""
    choose_order(page, "paid")

    ask(page, "还没收到")

    expect(page.get_by_test_id("draft").first).to_be_visible()
    assert 1 <= page.get_by_test_id("draft").count() <= 3
    expect(page.get_by_test_id("draft").first).to_contain_text(re.compile(r"把握 \d+%"))
    expect(page.locator("#understanding")).to_be_visible()
    expect(page.locator("#abstained")).to_be_hidden()


def test_other_order_changes_the_first_draft_without_asking_again(page: Page) -> None:
    """The same words mean another reply once the parcel is stalled."""
    choose_order(page, "paid")
    ask(page, "还没收到")
    before = first_text(page).inner_text()

    choose_order(page, "stalled")

    expect(first_text(page)).not_to_have_text(before)
    answered(page)
    expect(page.locator("#message")).to_have_value("还没收到")


def test_order_facts_are_shown_in_words(page: Page) -> None:
    """The card says what the raw JSON holds."""
    choose_order(page, "stalled")

    expect(page.locator("#facts")).to_contain_text("停滞")
    expect(page.locator("#facts")).to_contain_text("XF773010296")


def test_key_1_takes_the_first_draft_into_the_reply(page: Page) -> None:
    """After Enter the number keys work at once: the message box no longer has the focus."""
    choose_order(page, "stalled")
    ask(page, "还没收到")
    draft = first_text(page).text_content() or ""

    page.keyboard.press("1")

    expect(page.locator("#reply")).to_have_value(draft)
    assert draft


def test_number_typed_into_the_message_stays_a_number(page: Page) -> None:
    """Keys take a draft only where nobody is typing."""
    choose_order(page, "stalled")
    ask(page, "还没收到")

    page.locator("#message").press("End")
    page.locator("#message").press("1")

    expect(page.locator("#message")).to_have_value("还没收到1")
    expect(page.locator("#reply")).to_have_value("")


def test_untouched_reply_does_not_outlive_its_order(page: Page) -> None:
    """A draft for the stalled parcel must not be sent for another order by mistake."""
    choose_order(page, "stalled")
    ask(page, "还没收到")
    page.keyboard.press("1")
    expect(page.locator("#reply")).not_to_have_value("")

    choose_order(page, "delivered-6d")

    expect(page.locator("#reply")).to_have_value("")


def test_escape_clears_message_and_result(page: Page) -> None:
    """Esc makes room for the next customer."""
    choose_order(page, "stalled")
    ask(page, "还没收到")

    page.keyboard.press("Escape")

    expect(page.locator("#message")).to_have_value("")
    expect(page.get_by_test_id("draft")).to_have_count(0)
    expect(page.locator("#message")).to_be_focused()


def test_sample_conversation_fills_message_order_and_history(page: Page) -> None:
    """A chip is a whole situation, asked at once."""
    page.get_by_role("button", name="追问", exact=True).click()
    answered(page)

    expect(page.locator("#message")).to_have_value("那要等几天")
    expect(page.locator("#order")).to_have_value("stalled")
    expect(page.locator("#history li")).to_have_count(2)


def test_language_switch_changes_labels_and_is_remembered(page: Page) -> None:
    """Chinese first; English on request, also after a reload."""
    expect(page.locator("#ask")).to_have_text("取草稿")

    page.locator("#lang").click()

    expect(page.locator("#ask")).to_have_text("Get drafts")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator("#ask")).to_have_text("Get drafts")


def test_message_without_words_shows_why_nothing_is_suggested(page: Page) -> None:
    """Silence has a reason, and no draft stands beside it."""
    ask(page, NONSENSE)

    expect(page.locator("#abstained")).to_be_visible()
    expect(page.locator("#abstained")).to_contain_text("暂不推荐草稿")
    expect(page.get_by_test_id("draft")).to_have_count(0)


def test_evidence_opens_with_the_telling_words_marked(page: Page) -> None:
    """The agent sees which sentence of the policy stands behind the draft."""
    choose_order(page, "delivered-6d")
    ask(page, "不太合适，我想退了")
    evidence = page.get_by_test_id("evidence").filter(has=page.locator("mark")).first

    evidence.locator("summary").click()

    expect(evidence.locator("mark").first).to_be_visible()
    assert (evidence.locator("mark").first.text_content() or "").strip()


def test_wrong_field_in_the_order_is_said_in_words(page: Page) -> None:
    """A refused request shows the problem's detail instead of drafts."""
    page.locator("#message").fill("还没收到")
    page.locator("#raw summary").click()
    page.locator("#order-json").fill('{"order": {"statu": "paid"}, "customer": {}}')

    page.locator("#apply").click()

    expect(page.locator("#fault")).to_contain_text("order.statu")
    expect(page.get_by_test_id("draft")).to_have_count(0)


def test_service_that_is_not_ready_is_said_in_words(page: Page) -> None:
    """A 503 shows its detail; the page stays usable."""

    def not_ready(route: Route) -> None:
        body = json.dumps({"title": "not ready", "status": 503, "detail": "the snapshot is damaged"})
        route.fulfill(status=503, content_type="application/problem+json", body=body)

    page.route("**/v1/suggestions", not_ready)
    page.locator("#message").fill("还没收到")
    page.locator("#ask").click()

    expect(page.locator("#fault")).to_contain_text("the snapshot is damaged")
    page.unroute("**/v1/suggestions")
    page.locator("#fault button").click()
    answered(page)
    expect(page.locator("#fault")).to_be_hidden()


def test_markup_in_an_answer_stays_text(page: Page) -> None:
    """What shops and customers wrote is never run as HTML; blanks and spans fall on whole characters, emoji included."""
    text = "<img src=x onerror=alert(1)>😀您好，单号〔快递单号〕，今天到。"

    def answer(route: Route) -> None:
        body = json.dumps(_answer_with(text))
        route.fulfill(status=200, content_type="application/json", body=body)

    page.route("**/v1/suggestions", answer)
    ask(page, "到哪了")

    expect(first_text(page)).to_have_text(text)
    expect(first_text(page).locator("img")).to_have_count(0)
    expect(first_text(page).locator(".blank")).to_have_text("〔快递单号〕")
    expect(first_text(page).locator(".flagged")).to_have_text("今天到")
    expect(page.get_by_test_id("evidence").locator("mark")).to_have_text("第二句。")
    expect(page.get_by_test_id("draft")).to_contain_text("需补全")


@pytest.mark.parametrize("width", [700, 1400])
def test_page_never_scrolls_sideways(page: Page, width: int) -> None:
    """Narrow windows stack the columns."""
    page.set_viewport_size({"width": width, "height": 900})
    choose_order(page, "stalled-long")
    ask(page, "还没收到")

    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_names_on_the_page_are_those_of_the_knowledge() -> None:
    """The page carries its own copy of scenario and fact names; it must not drift from the package's."""
    html = (files("suggest") / "static" / "console.html").read_text(encoding="utf-8")

    scenarios = _table(html, "scenario-names")
    facts = _table(html, "fact-names")

    assert scenarios == {name: list(words) for name, words in SCENARIOS.items()}
    assert facts == {path: [fact_name(path, language="zh-CN"), fact_name(path, language="en")] for path in facts}
    assert {path.split(".")[0] for path in facts} <= set(CONDITION_FACTS)


def _table(html: str, element: str) -> dict[str, list[str]]:
    """The JSON block with that id."""
    found = re.search(rf'<script type="application/json" id="{element}">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    table: dict[str, list[str]] = json.loads(found.group(1))
    return table


def _answer_with(text: str) -> dict[str, object]:
    """A response with one draft of that text, offsets counted in characters as the service does."""
    blank, claim = text.index("〔"), text.index("今天到")
    return {
        "request_id": "r", "snapshot_id": "s", "model": "m", "degraded": [], "timings_ms": {"total": 1.0},
        "understanding": {
            "scenarios": [{"id": "logistics.track", "probability": 0.9}], "emotion": "calm", "threatens": False,
            "language": "zh", "products": [], "questions": ["到哪了"],
        },
        "suggestions": [{
            "suggestion_id": "1", "reply_id": "x", "reply_ids": ["x"], "rank": 1, "scenario": "logistics.track", "text": text,
            "parts": {"information": text}, "confidence": 0.8, "sendable": False, "missing": ["order.logistics.tracking_no"], "verify": [],
            "warnings": [
                {"code": "missing_fact", "message": "请补上：快递单号", "start": blank, "end": blank + 6},
                {"code": "banned_phrase", "message": "不作绝对承诺", "start": claim, "end": claim + 3},
            ],
            "evidence": [{
                "article_id": "a", "passage_id": "a#1", "title": "<b>标题</b>", "heading": "", "text": "😀第一句。第二句。", "highlights": [[5, 9]],
                "effective_from": None, "effective_to": None, "source": "", "audience": "internal",
            }],
            "attachments": [], "auto_reply": False, "why": [], "signals": None,
        }],
        "passages": [], "abstained": None, "clarifying_questions": [], "escalate": None, "next_actions": [], "debug": None,
    }  # fmt: skip


def test_channel_and_role_ask_anew(page: Page) -> None:
    """The same words need another draft in a text message, and a lead needs nobody's leave."""
    page.locator("#shop").select_option("demo")
    choose_order(page, "paid-overdue")
    ask(page, "还没发货？")
    in_chat = first_text(page).inner_text()

    page.locator("#channel").select_option("sms")
    answered(page)
    page.locator("#role").select_option("lead")
    answered(page)

    assert len(first_text(page).inner_text()) < len(in_chat)
    expect(page.get_by_test_id("draft").first).not_to_contain_text("需主管")


def test_holding_reply_is_read_before_it_is_taken(page: Page) -> None:
    """Its words stand in the banner; taking it puts them in the reply, with their length."""
    page.locator("#shop").select_option("demo")
    choose_order(page, "delivered-1d")
    ask(page, "再不处理我就去12315投诉")
    words = page.locator("#escalate .holding").inner_text()

    page.get_by_test_id("holding").click()

    expect(page.locator("#reply")).to_have_value(words)
    expect(page.locator("#reply-note")).to_contain_text(f"{len(words)} 字")


def test_a_draft_to_mend_names_the_agent_not_the_lead(page: Page) -> None:
    """A fact without a source is the agent's to mend."""
    body = {
        "request_id": "r", "snapshot_id": "s", "model": "m", "degraded": [], "timings_ms": {"total": 1},
        "understanding": {"scenarios": [], "emotion": "calm", "threatens": False, "language": "zh", "products": ["CL-001"], "questions": []},
        "suggestions": [{
            "suggestion_id": "x", "reply_id": "r1", "reply_ids": ["r1"], "rank": 1, "scenario": "order.expedite", "text": "您好，99小时内发出。",
            "parts": {"opening": "您好，", "action": "99小时内发出。"}, "confidence": 0.9, "sendable": False, "missing": [], "verify": [],
            "warnings": [{"code": "untraceable", "message": "没有依据", "start": 3, "end": 7}], "evidence": [], "attachments": [], "auto_reply": False,
            "why": [],
        }],
        "passages": [], "abstained": None, "clarifying_questions": [], "escalate": None, "next_actions": [], "recommendations": [],
    }  # fmt: skip
    page.route("**/v1/suggestions", lambda route: route.fulfill(json=body))
    page.locator("#shop").select_option("demo")
    ask(page, "还没发货")

    draft = page.get_by_test_id("draft")
    expect(draft).to_contain_text("需修改")
    expect(draft).not_to_contain_text("需主管")
    expect(draft.locator(".part").first).to_have_attribute("data-label", "开头")
    expect(page.locator("#understanding")).to_contain_text("轻暖短款羽绒服")
