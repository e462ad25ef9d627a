"""Where a new snapshot takes the base of a large shop from, when it did not change: linked from the snapshot before the live one, or copied from the live one.

Two snapshots in a row never share a file, so that what a disk does to one leaves the other: there are two copies of a base, used in turn (D68). The second
is laid by as soon as a new base is live.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexes.checksums import check_files
from indexes.errors import SnapshotError
from indexes.history import sync
from indexes.large_shop import BASE, LargeShop
from indexes.snapshot import MANIFEST, read_manifest
from indexes.snapshot_folders import SNAPSHOTS

SPARE = "spare"


@dataclass(frozen=True, slots=True)
class KeptBase:
    """The base's files with their checksums, by their paths in a snapshot, and the folder they are linked from; without one they are copied."""

    files: Mapping[str, str] = field(default_factory=dict)
    sibling: Path | None = None

    def checked_in(self, folder: Path) -> tuple[str, ...]:
        """Gives the files of a written snapshot that were checked already: those that are linked. A copy is checked as everything that is written."""
        own = self.sibling.parent if self.sibling is not None else None
        return tuple(name for name in self.files if own is not None and (folder / name).samefile(own / name))


def base_for(large: LargeShop | None, store_dir: Path) -> KeptBase:
    """Gives where the base comes from; nothing for a small shop and for a base that was just built.

    Args:
        large: the shop that is about to be written.
        store_dir: the shop's folder of published indexes.
    """
    if large is None or large.base.folder is None:
        return KeptBase()
    own, snapshots = large.base.folder.parent, store_dir / SNAPSHOTS
    files = _files_of_base(own)
    others = [path.parent for path in snapshots.glob(f"[!.]*/{MANIFEST}") if path.parent.name != own.name]
    same = [other for other in sorted(others, key=lambda folder: -_sequence(folder)) if _files_of_base(other) == files]
    for other in [*same, store_dir / SPARE]:
        if not _shares_files(own, other, files) and _is_whole(other, files):
            return KeptBase(files, other / BASE)
    return KeptBase(files)


def lay_by(folder: Path, store_dir: Path) -> None:
    """Copies the base of a snapshot that has just built it, for the next night to link: seven gigabytes are not copied while a shop waits for its night.

    Whatever was laid by before goes. A copy that was not finished is found out by its checksums, and not used.

    Args:
        folder: the snapshot's.
        store_dir: the shop's folder of published indexes.

    Raises:
        OSError: it cannot be written; then the next night copies the base itself.
    """
    new, spare = store_dir / f".{SPARE}.new", store_dir / SPARE
    for old in (new, spare):
        shutil.rmtree(old, ignore_errors=True)
    try:
        shutil.copytree(folder / BASE, new / BASE)
        for path in [new, *new.rglob("*")]:
            sync(path)
        new.rename(spare)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _files_of_base(folder: Path) -> dict[str, str]:
    try:
        return {name: checksum for name, checksum in read_manifest(folder).files.items() if name.startswith(f"{BASE}/")}
    except SnapshotError:
        return {}


def _sequence(folder: Path) -> int:
    try:
        return read_manifest(folder).sequence
    except SnapshotError:
        return 0


def _shares_files(one: Path, other: Path, files: Mapping[str, str]) -> bool:
    return any((other / name).exists() and (one / name).samefile(other / name) for name in files)


def _is_whole(folder: Path, files: Mapping[str, str]) -> bool:
    if not folder.is_dir():
        return False
    try:
        check_files(folder, files)
    except SnapshotError:
        return False  # it is set aside when somebody loads it
    return True
