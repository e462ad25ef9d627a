"""Errors as RFC 9457 problem details. One table says which error is which status."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from indexes.errors import IndexingError, ModelUnavailable, SnapshotError
from knowledge.errors import KnowledgeError
from suggest.errors import NotFound, StoreNotNamed, StoreUnavailable, SuggestError, UnknownStore

_log = logging.getLogger("huashu.api")
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (UnknownStore, 404),
    (StoreUnavailable, 503),
    (StoreNotNamed, 422),
    (SnapshotError, 503),
    (ModelUnavailable, 503),
    (SuggestError, 500),
    (IndexingError, 500),
    (KnowledgeError, 500),
)
_TYPE = "https://huashu.example/problems/"


def problem(status: int, slug: str, title: str, detail: str, **more: Any) -> JSONResponse:
    """Gives a problem-details response."""
    body = {"type": _TYPE + slug, "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem."""
    app.add_exception_handler(RequestValidationError, _invalid_request)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    for error, status in STATUS:
        app.add_exception_handler(error, _handler(status))
    app.add_exception_handler(Exception, _unexpected)


def _handler(status: int) -> Any:
    def handle(_: Request, error: Exception) -> JSONResponse:
        slug = getattr(error, "slug", "error")
        return problem(status, slug, slug.replace("_", " "), str(error))

    return handle


def _invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    """Every wrong field at once: where, what was expected. What came is not repeated: it may be the customer's words."""
    fields = []
    for detail in error.errors():
        where = ".".join(str(piece) for piece in detail["loc"] if piece != "body")
        expected = "unknown field" if detail["type"] == "extra_forbidden" else str(detail["msg"]).removeprefix("Value error, ")
        if detail["type"] == "json_invalid":
            where, expected = "body", f"expected JSON; {detail.get('ctx', {}).get('error', '')}"
        fields.append({"field": where or "body", "expected": expected})
    summary = "; ".join(f"{one['field']}: {one['expected']}" for one in fields[:5])
    return problem(422, "invalid_request", "invalid request", summary, errors=fields)


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    slug = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}.get(error.status_code, "http_error")
    return problem(error.status_code, slug, slug.replace("_", " "), str(error.detail))


def _unexpected(_: Request, error: Exception) -> JSONResponse:
    _log.error("request.failed", extra={"error": type(error).__name__})
    return problem(
        500, "internal_error", "internal error", "something went wrong here; it was logged, and nothing was lost. Try again or tell the on-call engineer"
    )
