"""Where damaged snapshots go: `quarantine/<id>-<n>`, as they were found, with the reason in `<id>-<n>.json` beside.

Of many the oldest go, by when they were set aside: a disk that fails every night must not fill itself. What serves or could serve is never here.
"""

import itertools
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from indexes.history import write_durably

QUARANTINE = "quarantine"
KEPT = 5  # quarantined snapshots


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
    write_durably(_card(target), json.dumps(card, ensure_ascii=False, indent=1) + "\n")
    return target


def newest_after(store_dir: Path, snapshot_id: str) -> tuple[str, str] | None:
    """Gives the newest quarantined snapshot that was published after this one, and why it was set aside; None where there is none.

    Ids ascend with the time of publishing. A card that cannot be read tells nothing.
    """
    cards = []
    for folder in quarantined(store_dir):
        try:
            card = json.loads(_card(folder).read_text(encoding="utf-8"))
            cards.append((str(card["snapshot_id"]), str(card["reason"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max((one for one in cards if one[0] > snapshot_id), default=None)


def forget_oldest(store_dir: Path, *, kept: int = KEPT) -> list[str]:
    """Removes all but the newest quarantined snapshots and gives the names of those removed. Only for whoever holds the shop's lock.

    Args:
        store_dir: the shop's folder of published indexes.
        kept: how many stay.

    Raises:
        OSError: one cannot be removed.
    """
    oldest = sorted(quarantined(store_dir), key=lambda folder: (_set_aside_at(folder), folder.name))
    gone = oldest[: max(0, len(oldest) - kept)]
    for folder in gone:
        shutil.rmtree(folder)
        _card(folder).unlink(missing_ok=True)
    for card in (store_dir / QUARANTINE).glob("*.json"):
        if not card.with_suffix("").exists():
            card.unlink(missing_ok=True)
    return [folder.name for folder in gone]


def _set_aside_at(folder: Path) -> str:
    """The moment on its card; one whose card cannot be read counts as the newest, for nobody knows what it is."""
    try:
        return str(json.loads(_card(folder).read_text(encoding="utf-8"))["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return "~"


def _card(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def quarantined(store_dir: Path) -> list[Path]:
    """Gives the folders of the shop's quarantined snapshots, by name."""
    folder = store_dir / QUARANTINE
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.exists() else []
