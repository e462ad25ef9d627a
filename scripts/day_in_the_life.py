"""`python -m scripts.day_in_the_life`: one running service while its shop is edited, reindexed, damaged and rolled back; what is seen, as Markdown.

Every step checks what it shows: the command fails where the service does not do what the page says.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Annotated, Any

import httpx
import typer

from scripts.progress import STDERR
from scripts.service_process import RunningService, running_service

app = typer.Typer(add_completion=False)
_ROOT = Path(__file__).parent.parent
_SHOP = "home"
_PATIENCE_S = 60.0
_INVOICE, _LAMPS, _PROMOTION = "你们能开发票吗，多久能开好？", "灯具有活动吗", "双12优惠是多少"
_IN_NOVEMBER = "2026-11-20T10:00:00+08:00"
_PREFACE = """# A day in the life of a service

Written by `python -m scripts.day_in_the_life --out docs/day-in-the-life.md`: every command below was run and every answer given by one service process
that was started once. It looks for new snapshots every half second (`SUGGEST_REFRESH_SECONDS=0.5`; 2 unless set). A second caller asks five times a
second all day long. The shop is a copy of the demo shop `home`."""


@app.command()
def day_in_the_life(
    out: Annotated[Path | None, typer.Option(help="Markdown file to write; standard output when not given")] = None,
) -> None:
    """Lives through the day and writes it down."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        shutil.copytree(_ROOT / "knowledge" / "stores" / _SHOP, folder / _SHOP, ignore=shutil.ignore_patterns("chats"))
        day = _Day(folder)
        published = day.run("scripts.reindex", "--store-dir", _SHOP, "--index-dir", "indexes")
        settings = {"SUGGEST_REFRESH_SECONDS": "0.5", "SUGGEST_MIN_CONFIDENCE": "0.3"}
        with running_service(folder / "indexes", settings=settings) as service:
            day.service = service
            caller = _Caller(service.url)
            caller.start()
            _morning(day, published)
            for step in (_edited, _deleted, _midnight, _bad_row, _damaged, _rolled_back):
                step(day)
            _evening(day, caller)
    text = day.text()
    if out is None:
        typer.echo(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")


class _Day:
    """The page as it is written, and what it is written about."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shop, self.index_dir = folder, folder / _SHOP, folder / "indexes"
        self.service: RunningService | None = None
        self._blocks = [_PREFACE]

    @property
    def url(self) -> str:
        return self.service.url if self.service else ""

    def say(self, text: str) -> None:
        self._blocks.append(text)

    def show(self, lines: str, language: str = "console") -> None:
        self._blocks.append(f"```{language}\n{lines.strip()}\n```")

    def text(self) -> str:
        return "\n\n".join(self._blocks).replace(f"{self.folder}/", "")

    def run(self, module: str, *arguments: str, code: int = 0) -> str:
        """Runs one of our commands in the day's folder and gives what it said, command line first."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SUGGEST_")}
        environment |= {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "160"}
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
        said = f"$ python -m {module} {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        _must(done.returncode == code, f"exit code {code}, got {done.returncode} from:\n{said}")
        return said + (f"\n$ echo $?\n{code}" if code else "")

    def ask(self, text: str, *, now: str = _IN_NOVEMBER) -> dict[str, Any]:
        return _json(httpx.post(f"{self.url}/v1/suggestions", json={"message": text, "now": now, "top_k": 1}, timeout=_PATIENCE_S))

    def ready(self) -> dict[str, Any]:
        return _json(httpx.get(f"{self.url}/readyz", timeout=_PATIENCE_S))

    def metrics(self, *names: str) -> str:
        lines = httpx.get(f"{self.url}/metrics", timeout=_PATIENCE_S).text.splitlines()
        return "\n".join(line for line in lines if line.startswith(names))

    def live(self) -> str:
        return str(self.ready()["shops"][_SHOP])

    def until(self, true: Callable[[], bool], what: str) -> float:
        """Waits until it is so and gives the seconds."""
        began = time.monotonic()
        while not true():
            _must(time.monotonic() - began < _PATIENCE_S, f"{what} within {_PATIENCE_S:.0f} s")
            time.sleep(0.02)
        return time.monotonic() - began


class _Caller(Thread):
    """Asks five times a second, whatever happens, and remembers every answer that is not 200."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._done, self.n_asked, self.failed = url, Event(), 0, list[int]()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=_PATIENCE_S) as client:
            while not self._done.wait(0.2):
                status = client.post("/v1/suggestions", json={"message": _INVOICE}).status_code
                self.n_asked += 1
                self.failed += [status] if status != 200 else []

    def stop(self) -> None:
        self._done.set()
        self.join()


def _morning(day: _Day, published: str) -> None:
    day.say("## The shop is published and the service starts")
    day.show(published)
    answer = day.ask(_INVOICE)
    _must("24小时" in _first(answer), "the invoice reply as the shop wrote it")
    day.show(_told(_INVOICE, answer), "text")


def _edited(day: _Day) -> None:
    day.say("## A policy changes: electronic invoices in 12 hours, no longer 24\nThe article and its replies are edited, and the shop is indexed again.")
    for path, rows in ((day.shop / "articles" / "invoice.md", ""), (day.shop / "replies.csv", "inv-")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line.replace("24小时", "12小时") if line.startswith(rows) else line for line in lines), encoding="utf-8")
    _reindexed(day)
    answer = day.ask(_INVOICE)
    _must("12小时" in _first(answer) and "24小时" not in json.dumps(answer, ensure_ascii=False), "only the new words")
    day.show(_told(_INVOICE, answer), "text")


def _deleted(day: _Day) -> None:
    day.say("## A reply is deleted\nBefore:")
    before = day.ask(_LAMPS)
    _must(before["suggestions"][0]["reply_id"] == "promo-lamp-week", "the lamps' promotion before")
    day.show(_told(_LAMPS, before), "text")
    path = day.shop / "replies.csv"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(row for row in rows if not row.startswith("promo-lamp-week,")), encoding="utf-8")
    _reindexed(day)
    after = day.ask(_LAMPS)
    _must("promo-lamp-week" not in json.dumps(after), "the deleted reply nowhere")
    day.show(_told(_LAMPS, after), "text")


def _midnight(day: _Day) -> None:
    day.say(
        "## Midnight: a promotion begins and ends without a reindex\n"
        "The reply `promo-1212` is in force from 2026-12-08 to 2026-12-12, both days included, in the shop's timezone. Nothing is published in between."
    )
    moments = ("2026-12-07T23:59:59+08:00", "2026-12-08T00:00:00+08:00", "2026-12-12T23:59:59+08:00", "2026-12-13T00:00:00+08:00")
    answers = [day.ask(_PROMOTION, now=moment) for moment in moments]
    held = ["promo-1212" in json.dumps(answer) for answer in answers]
    _must(held == [False, True, True, False], f"the promotion in its days only, got {held}")
    day.show("\n\n".join(f"now: {moment}\n{_told(_PROMOTION, answer, n_evidence=0)}" for moment, answer in zip(moments, answers, strict=True)), "text")


def _bad_row(day: _Day) -> None:
    day.say("## Somebody saves a spreadsheet with a mistake\nThe nightly reindex publishes nothing and says what to mend. The service never hears of it.")
    path, before = day.shop / "replies.csv", day.live()
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("inv-rule,invoice,!has(order.status),", "inv-rule,invoice,!has(order.stats),"), encoding="utf-8")
    day.show(day.run("scripts.reindex", "--store-dir", _SHOP, "--index-dir", "indexes", code=1))
    path.write_text(good, encoding="utf-8")
    time.sleep(1)
    _must(day.live() == before and not day.ready()["failing"], "the service as before")


def _damaged(day: _Day) -> None:
    day.say("## A bad file is slipped in\nA snapshot is copied by hand, arrives cut off, and is made the live one:")
    live = day.live()
    snapshots = day.index_dir / _SHOP / "snapshots"
    shutil.copytree(snapshots / live, snapshots / "copied-by-hand")
    (snapshots / "copied-by-hand" / "key_vectors.faiss").write_bytes(b"cut off")
    (day.index_dir / _SHOP / "CURRENT").write_text("copied-by-hand\n", encoding="utf-8")
    day.show("$ echo copied-by-hand > indexes/home/CURRENT")
    seconds = day.until(lambda: bool(day.ready()["failing"]), "/readyz names it")
    said = day.ready()
    _must(said["status"] == "ready" and said["shops"][_SHOP] == live, "the old one goes on serving")
    day.say(f"{seconds:.1f} s later `/readyz` (still 200) and `/metrics` say so; the snapshot before goes on serving:")
    day.show(json.dumps(said, ensure_ascii=False, indent=1), "json")
    day.show(day.metrics("huashu_snapshot_failing", "huashu_snapshots_set_aside_total", "huashu_snapshot_load_failures_total", "huashu_snapshot_info"), "text")
    _must("12小时" in _first(day.ask(_INVOICE)), "an answer all the while")


def _rolled_back(day: _Day) -> None:
    day.say("## The deletion was a mistake: back to the snapshot before")
    before = day.live()
    day.show(day.run("scripts.rollback", "--store", _SHOP, "--index-dir", "indexes"))
    seconds = day.until(lambda: day.live() != before, "the rollback is live")
    answer = day.ask(_LAMPS)
    _must(answer["suggestions"][0]["reply_id"] == "promo-lamp-week", "the deleted reply is back")
    day.say(f"Live {seconds:.1f} s after the command ended:")
    day.show(_told(_LAMPS, answer), "text")


def _evening(day: _Day, caller: _Caller) -> None:
    caller.stop()
    _must(not caller.failed and caller.n_asked > 0, f"every answer 200, got {caller.failed}")
    day.say("## Evening")
    day.say(f"The other caller asked {caller.n_asked} times; every answer was 200. One process served all day:")
    day.show(day.metrics("huashu_requests_total", "huashu_snapshot_swaps_total", "huashu_snapshot_failing"), "text")


def _reindexed(day: _Day) -> None:
    """Runs the reindex and waits until what it published is live."""
    before = day.live()
    day.show(day.run("scripts.reindex", "--store-dir", _SHOP, "--index-dir", "indexes"))
    seconds = day.until(lambda: day.live() != before, "the new snapshot is live")
    day.say(f"Live {seconds:.1f} s after the command ended:")


def _told(text: str, answer: dict[str, Any], *, n_evidence: int = 1) -> str:
    """What an agent sees of an answer."""
    lines = [f"customer   {text}", f"snapshot   {answer['snapshot_id']}"]
    for one in answer["suggestions"]:
        lines += [f"draft      {one['reply_id']} ({one['confidence']:.2f}): {one['text']}"]
        lines += [f"evidence   {passage['passage_id']}: {passage['text'][:80]}" for passage in one["evidence"][:n_evidence]]
    if answer["abstained"]:
        lines.append(f"silence    {answer['abstained']['reason']}")
    return "\n".join(lines)


def _first(answer: dict[str, Any]) -> str:
    return str(answer["suggestions"][0]["text"]) if answer["suggestions"] else ""


def _json(response: httpx.Response) -> dict[str, Any]:
    _must(response.status_code == 200, f"status 200 from {response.url.path}, got {response.status_code}: {response.text}")
    found: dict[str, Any] = response.json()
    return found


def _must(true: bool, expected: str) -> None:
    if not true:
        STDERR.print(f"the day went wrong: expected {expected}", markup=False, highlight=False)
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
