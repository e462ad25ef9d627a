"""Reading a shop's files as of one moment: people and sync tools write them while we read."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from knowledge.errors import InvalidKnowledge, KnowledgeChanging

R = TypeVar("R")
_READ = ("store.toml", "articles/*.md", "replies.*", "products.*", "sample_orders.*", "sample_conversations.*", "chats/*.jsonl")
_ATTEMPTS = 3


def file_digests(folder: Path) -> dict[str, str]:
    """Gives the sha256 of each of the shop's files by its path within the folder; contents, for a clock that jumps makes times of change worthless."""
    digests = {}
    for path in sorted({path for pattern in _READ for path in folder.glob(pattern) if path.is_file()}):
        try:
            with path.open("rb") as file:
                digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:  # deleted since it was listed
            continue
    return digests


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Gives the paths whose contents differ, or that are in one of the two only, sorted."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def read_steadily(folder: Path, read: Callable[[], R]) -> tuple[R, dict[str, str]]:
    """Gives what `read` gives and the digests of the files it saw, all of one moment; reads again where a file changed meanwhile.

    Args:
        folder: the shop's.
        read: reads the files; what it raises is only believed when no file changed meanwhile.

    Raises:
        KnowledgeChanging: files went on changing.
    """
    changed: list[str] = []
    before = file_digests(folder)
    for _ in range(_ATTEMPTS):
        failure: InvalidKnowledge | OSError | None = None
        try:
            found = read()
        except (InvalidKnowledge, OSError) as error:
            failure = error
        after = file_digests(folder)
        changed = differing(before, after)
        if changed:
            before = after
        elif failure is not None:
            raise failure
        else:
            return found, after
    raise KnowledgeChanging(folder, changed)
