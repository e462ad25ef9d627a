"""What can go wrong while suggesting.

SuggestError
├── InvalidSettings     a setting is out of range or unknown
├── UnknownStore        no published shop of that id
├── StoreUnavailable    the shop is published and cannot be loaded
├── StoreNotNamed       several shops are served and the request names none
├── NotFound            no such article or reply in the shop
├── UnreadableReport    a file is not an evaluation's report
└── UnpairedReports     two evaluations are not of the same chats
"""

from pathlib import Path


class SuggestError(Exception):
    """A request or a setting cannot be served."""

    slug = "suggest_error"


class InvalidSettings(SuggestError):
    """A setting is unknown or out of range."""

    slug = "invalid_settings"

    def __init__(self, name: str, *, value: str, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(f"setting {name}: expected {expected}, got {value!r}")


class UnknownStore(SuggestError):
    """The named shop is not served here."""

    slug = "unknown_store"

    def __init__(self, store: str, served: list[str]) -> None:
        self.store, self.served = store, served
        super().__init__(f"no shop {store!r} is served here; expected one of {', '.join(served) or '(none is published)'}")


class StoreUnavailable(SuggestError):
    """The named shop is published here, and no snapshot of it can be loaded."""

    slug = "store_unavailable"

    def __init__(self, store: str, reason: str) -> None:
        self.store, self.reason = store, reason
        super().__init__(f"the index of shop {store!r} cannot be loaded: {reason}")


class StoreNotNamed(SuggestError):
    """The request must say which shop it is for."""

    slug = "store_not_named"

    def __init__(self, served: list[str]) -> None:
        self.served = served
        super().__init__(f"several shops are served; set `store` to one of {', '.join(served)}")


class NotFound(SuggestError):
    """No such record in this shop."""

    slug = "not_found"

    def __init__(self, kind: str, record_id: str) -> None:
        self.kind, self.record_id = kind, record_id
        super().__init__(f"this shop has no {kind} {record_id!r}")


class UnreadableReport(SuggestError):
    """An earlier evaluation cannot be read."""

    slug = "unreadable_report"

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} {reason}; expected an evaluation.json, or its folder, that `scripts.evaluate --report` wrote")


class UnpairedReports(SuggestError):
    """Two evaluations cannot be compared chat by chat."""

    slug = "unpaired_reports"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"expected two evaluations of the same labelled chats; {reason}; evaluate both on the same --chats")
