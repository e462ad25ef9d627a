"""What can go wrong with an index.

IndexingError
├── InvalidText             a text that cannot be embedded
├── DimensionMismatch       vectors of another width than the index
├── ModelUnavailable        the embedding model is not on this machine
└── SnapshotError
    ├── SnapshotMissing     nothing has been published
    ├── SnapshotCorrupt     a file is not what its manifest says
    ├── SnapshotIncompatible  made by another model, contract or format
    └── SnapshotRefused     built, but failed its own checks; nothing was published
"""

from pathlib import Path


class IndexingError(Exception):
    """Something about finding cannot be done."""

    slug = "indexing_error"


class InvalidText(IndexingError):
    """A text cannot be embedded."""

    slug = "invalid_text"


class DimensionMismatch(IndexingError):
    """Vectors do not have the index's width."""

    slug = "dimension_mismatch"

    def __init__(self, *, expected: int, got: int) -> None:
        self.expected, self.got = expected, got
        super().__init__(f"expected vectors of {expected} dimensions, got {got}; embed with the model that the index was built with")


class ModelUnavailable(IndexingError):
    """The embedding model cannot be loaded."""

    slug = "model_unavailable"

    def __init__(self, model: str, reason: str) -> None:
        self.model, self.reason = model, reason
        super().__init__(
            f"the embedding model {model!r} cannot be loaded ({reason}); "
            "put it on this machine, set SUGGEST_MODEL to a folder that holds it, or unset SUGGEST_MODEL for the bundled one"
        )


class SnapshotError(IndexingError):
    """A published index cannot be used."""

    slug = "snapshot_error"


class SnapshotMissing(SnapshotError):
    """There is nothing published where it was looked for."""

    slug = "snapshot_missing"

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"no published index under {path}; run `python -m scripts.reindex` first")


class SnapshotCorrupt(SnapshotError):
    """A file differs from what the manifest says of it."""

    slug = "snapshot_corrupt"

    def __init__(self, file: Path, *, expected: str, got: str) -> None:
        self.file, self.expected, self.got = file, expected, got
        super().__init__(f"{file} is damaged: expected {expected}, got {got}; rebuild with `python -m scripts.reindex`")


class SnapshotIncompatible(SnapshotError):
    """The snapshot was made by something else than what is running."""

    slug = "snapshot_incompatible"

    def __init__(self, field: str, *, expected: str, got: str) -> None:
        self.field, self.expected, self.got = field, expected, got
        super().__init__(f"the snapshot's {field} is {got!r}, expected {expected!r}; rebuild with `python -m scripts.reindex`")


class SnapshotRefused(SnapshotError):
    """A built snapshot failed its own checks."""

    slug = "snapshot_refused"

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("the new index failed its checks and was not published: " + "; ".join(reasons))
