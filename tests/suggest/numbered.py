"""A small shop whose every text says which edition it is, so that a response mixed of two snapshots is seen in its words."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from indexes.build import build_snapshot
from indexes.classifier import load_classifier
from indexes.publish import publish
from knowledge.shop import Shop, load_shop
from suggest.live import Models
from tests.fakes import write_shop

QUESTIONS = ("发票抬头写错了", "怎么退货", "快递三天没动了", "我不想要了，怎么退")
_EDITION = re.compile(r"第(\d+)版")


def edition(number: int, folder: Path) -> Shop:
    """Writes and reads the shop's edition of a number."""
    mark = f"第{number}版"
    write_shop(folder, replies=[
        {"id": "invoice-title", "scenario": "invoice", "text": f"{mark}：发票抬头可以改。", "triggers": "发票抬头写错了", "status": "approved"},
        {"id": "return-how", "scenario": "return.no_reason", "text": f"{mark}：在订单里点申请退货。", "triggers": "怎么退货|我不想要了", "status": "approved"},
        {"id": "delay", "scenario": "logistics.delay", "text": f"{mark}：已核实。", "triggers": "快递三天没动了", "cites": "stalled", "status": "approved"},
    ])  # fmt: skip
    for name, scenario, words in (("stalled", "logistics.delay", "快递停滞超过三天就核实。"), ("staff", "return.no_reason", "退货七天内办理。")):
        front = f"---\nid: {name}\ntitle: {words[:4]}\nkind: policy\nscenarios: [{scenario}]\n---\n"
        (folder / "articles" / f"{name}.md").write_text(f"{front}{mark}：{words}\n", encoding="utf-8")
    return load_shop(folder)


def publish_edition(number: int, store_dir: Path, folder: Path, models: Models, *, shop: Shop | None = None) -> str:
    """Publishes an edition and gives its snapshot's id."""
    now = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)
    chosen = shop or edition(number, folder / f"edition-{number}")
    snapshot = build_snapshot(chosen, embedder=models.embedder, needs=load_classifier("needs"), now=now)
    return publish(snapshot, store_dir, embedder=models.embedder).snapshot_id


def editions_in(texts: Sequence[str]) -> set[int]:
    """Gives the numbers that the texts say."""
    return {int(number) for text in texts for number in _EDITION.findall(text)}


def words_of(answer: dict[str, Any]) -> list[str]:
    """Gives every text of a response to /v1/suggestions that comes from the snapshot."""
    evidence = [passage["text"] for one in answer["suggestions"] for passage in one["evidence"]]
    return [one["text"] for one in answer["suggestions"]] + evidence + [passage["text"] for passage in answer["passages"]]
