"""What a reindex did, for people and machines: one object a run, kept as JSON in the shop's index folder. Ids and numbers, no customer's words."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from indexes.changes import Changes, Dates
from indexes.gate import Refusal
from indexes.publish import SetAside

REPORTS = "reports"
KEPT_REPORTS = 60
BUSY = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong, try again later
_NAME = re.compile(r"reindex-.*-(\d+)\.json")
Status = Literal["published", "unchanged", "refused", "failed", "invalid", "busy"]


@dataclass(slots=True)
class Report:
    """One shop's run. Of a dry run `status` is what would happen."""

    store_dir: str
    at: str
    dry_run: bool = False
    status: Status = "failed"
    store: str = ""
    reason: str = ""  # why it failed or was refused
    snapshot_id: str = ""  # what is live after it
    previous: str = ""  # what was live before
    counts: dict[str, int] = field(default_factory=dict)
    adapted: bool = False
    changes: dict[str, Changes] = field(default_factory=dict)
    dates: dict[str, Dates] = field(default_factory=dict)
    vectors: dict[str, dict[str, int]] = field(default_factory=dict)  # kind → texts, and how many were computed
    checks: dict[str, Any] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    forced: dict[str, Any] | None = None
    bad_rows: list[dict[str, Any]] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    cleaned: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    path: str = ""  # where the report lies

    def as_json(self) -> dict[str, Any]:
        """Gives plain values; `bad_rows` and `reason` only where there are any."""
        whole = asdict(self)
        return {name: value for name, value in whole.items() if value or name not in ("bad_rows", "reason", "forced")}


def exit_code(reports: Iterable[Report]) -> int:
    """Gives 0 when every shop is as it should be, 1 when one failed or was refused, `BUSY` when the only trouble is another reindex."""
    troubles = {report.status for report in reports} - {"published", "unchanged"}
    return 0 if not troubles else BUSY if troubles == {"busy"} else 1


def write_report(report: Report, store_dir: Path) -> None:
    """Writes `reports/reindex-<time>-<number>.json` and forgets the oldest, by number: the clock may jump.

    Raises:
        OSError: the disk is full or forbids writing.
    """
    folder = store_dir / REPORTS
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{datetime.fromisoformat(report.at).astimezone(UTC):%Y%m%dT%H%M%S}"
    numbered = sorted((int(match[1]), path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name)))
    number = numbered[-1][0] + 1 if numbered else 1
    path = folder / f"reindex-{stamp}-{number}.json"
    report.path = str(path)
    kept = report.as_json()
    for row in kept.get("bad_rows", []):
        if row["file"].startswith("chats/"):
            row.pop("got")  # may be what a customer wrote
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for _, old in numbered[: max(0, len(numbered) + 1 - KEPT_REPORTS)]:
        old.unlink(missing_ok=True)
