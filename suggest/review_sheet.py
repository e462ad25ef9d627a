"""The sheet on which people judge drafts: its columns, its cells, and the guard against cells that a spreadsheet would run."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from knowledge.chats import LabelledChat
from knowledge.fact_paths import fact_name

N_DRAFTS = 3
# Full-width signs start a formula in some spreadsheets (OWASP, CSV Injection); a leading tab or line break is dropped and lays the next sign bare.
_RUNS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_FIXED = {"id": ("会话编号", "chat id"), "message": ("客户消息", "message"), "context": ("背景", "context")}
_DRAFT = {
    "reply": ("草稿{n}编号", "draft {n} id"),
    "text": ("草稿{n}", "draft {n}"),
    "grade": ("草稿{n}：会发吗？（2 原样发 / 1 小改后发 / 0 不发）", "draft {n}: would you send it? (2 yes as it is / 1 with a small edit / 0 no)"),
    "moves": ("草稿{n}：能推进问题吗？（y/n）", "draft {n}: does it move the case on? (y/n)"),
}
_SKIPPED = frozenset({"order.id", "order.logistics.tracking_no", "order.cases.case_id", "customer.id", "customer.name", "agent.id", "agent.name"})


def guarded(cell: str) -> str:
    """Gives the cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def unguarded(cell: str) -> str:
    """Gives the cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell) else cell


def headers(*, english: bool) -> dict[str, str]:
    """Gives the columns in their order: key → header. Keys are id, message, context, then reply/text/grade/moves with the draft's number: `grade2`."""
    column = int(english)
    drafts = {f"{key}{n}": names[column].format(n=n) for n in range(1, N_DRAFTS + 1) for key, names in _DRAFT.items()}
    return {key: names[column] for key, names in _FIXED.items()} | drafts


def context_of(chat: LabelledChat, *, timezone: str, english: bool) -> str:
    """Gives what was said before and what is known of the order, a line each, without numbers that name a person or a parcel."""
    who = {"customer": "customer" if english else "客户", "agent": "agent" if english else "客服"}
    lines = [f"{who[turn.role]}{': ' if english else '：'}{turn.text}" for turn in chat.history]
    facts: dict[str, None] = {}
    for name, model in (("order", chat.order), ("customer", chat.customer), ("agent", chat.agent)):
        if isinstance(model, BaseModel):
            for path, value in _leaves(name, model.model_dump(exclude_none=True, exclude_defaults=name == "agent")):
                if path not in _SKIPPED:
                    facts[f"{fact_name(path, language='en' if english else 'zh-CN')}={_short(value, timezone)}"] = None
    if facts:
        lines.append((", " if english else "，").join(facts))
    moment = _short(chat.now, timezone)
    return "\n".join([*lines, f"now={moment}" if english else f"现在={moment}"])


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(path, inner)
    else:
        yield path, value


def _short(value: Any, timezone: str) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(timezone)):%m-%d %H:%M}"
    return f"{value:%m-%d}" if isinstance(value, date) else str(value)
