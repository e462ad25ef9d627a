"""What can go wrong with an index.

IndexingError
├── InvalidText             a text that cannot be embedded
├── DimensionMismatch       vectors of another width than the index
├── ModelUnavailable        the embedding model is not on this machine
├── AdaptationError
│   ├── AdaptationRefused   tuning on the shop cost too much of something else; nothing was written
│   ├── AdaptationWorse     tuning on the shop made the shop's own figures worse; nothing was written
│   └── AdaptationUnusable  a shop's models are damaged or were tuned from other models
└── SnapshotError
    ├── SnapshotMissing     nothing has been published
    ├── SnapshotCorrupt     a file is not what its manifest says
    ├── SnapshotIncompatible  made by another model, contract or format
    ├── SnapshotRefused     built, but failed its own checks; nothing was published
    ├── SnapshotUnwritable  the disk is full or forbids writing; nothing was published
    ├── NoEarlierSnapshot   nothing to roll back to
    └── IndexBusy           another process is writing the shop's index
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

    def __init__(self, model: str, reason: str, *, hub_id: str = "") -> None:
        self.model, self.reason = model, reason
        fetch = f"run `hf download {hub_id} --local-dir {hub_id.rsplit('/', 1)[-1]}` where there is a network, " if hub_id else ""
        super().__init__(
            f"the embedding model {model!r} cannot be loaded ({reason}); "
            f"{fetch}put it on this machine, set SUGGEST_MODEL to a folder that holds it, or unset SUGGEST_MODEL for the bundled one"
        )


class AdaptationError(IndexingError):
    """A shop's own models cannot be made or used."""

    slug = "adaptation_error"


class AdaptationRefused(AdaptationError):
    """Tuning on a shop lost more than the stated bound of what the models could do before."""

    slug = "adaptation_refused"

    def __init__(self, model: str, *, before: float, after: float, bound: float) -> None:
        self.model, self.before, self.after, self.bound = model, before, after, bound
        super().__init__(
            f"the {model} model tuned on this shop understands {after:.1%} of held-out phrasings, before {before:.1%}; at most {100 * bound:.1f} points "
            "may be lost even at the smallest step; nothing was written, the models in use stay in use; look for accepted suggestions that are wrong"
        )


class AdaptationWorse(AdaptationError):
    """A shop's own chats are understood worse by the models tuned on it, beyond chance."""

    slug = "adaptation_worse"

    def __init__(self, measure: str, *, before: float, after: float) -> None:
        self.measure, self.before, self.after = measure, before, after
        super().__init__(
            f"with the models tuned on this shop its {measure} falls from {before:.3f} to {after:.3f} in cross-validation; "
            "nothing was written, the models in use stay in use; look for labels and accepted suggestions that are wrong"
        )


class AdaptationUnusable(AdaptationError):
    """A shop's models are damaged, or were tuned from other models than the present ones."""

    slug = "adaptation_unusable"

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"the adapted models in {folder} cannot be used ({reason}); run `python -m scripts.adapt` again")


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


class SnapshotUnwritable(SnapshotError):
    """A snapshot could not be written whole."""

    slug = "snapshot_unwritable"

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"the new index could not be written under {folder} ({reason}); look for free space and write permission, then run it again")


class NoEarlierSnapshot(SnapshotError):
    """There is nothing before the live snapshot to go back to."""

    slug = "no_earlier_snapshot"

    def __init__(self, folder: Path, live: str) -> None:
        self.folder, self.live = folder, live
        super().__init__(f"there is no snapshot before {live} in {folder} that nobody rolled back from")


class IndexBusy(SnapshotError):
    """Another process is writing the index of this shop."""

    slug = "index_busy"

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"{folder} is being written: {reason}; run it again when that is done")
