"""Where damaged snapshots go: `quarantine/<id>-<n>`, as they were found, with the reason in `<id>-<n>.json` beside. Nothing here is ever deleted by us."""

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

from indexes.history import write_durably

QUARANTINE = "quarantine"


def quarantine(folder: Path, *, store_dir: Path, reason: str) -> Path:
    """Moves a damaged snapshot out of the way and gives its new place.

    Args:
        folder: the snapshot's.
        store_dir: the shop's folder of published indexes.
        reason: what was found.

    Raises:
        FileNotFoundError: it is gone: another process was faster.
        OSError: it cannot be moved; it stays where it is.
    """
    away = store_dir / QUARANTINE
    away.mkdir(exist_ok=True)
    target = next(path for n in itertools.count(1) if not (path := away / f"{folder.name}-{n}").exists())
    folder.rename(target)
    card = {"snapshot_id": folder.name, "at": datetime.now(UTC).isoformat(timespec="seconds"), "reason": reason}
    write_durably(target.with_name(f"{target.name}.json"), json.dumps(card, ensure_ascii=False, indent=1) + "\n")
    return target


def quarantined(store_dir: Path) -> list[Path]:
    """Gives the folders of the shop's quarantined snapshots, by name."""
    folder = store_dir / QUARANTINE
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.exists() else []
