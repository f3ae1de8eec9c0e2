"""Failures as HTTP: a status for each, and the shape in which each API's clients read them.

Knows our errors, statuses and four shapes. Does not know what was asked.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from ..errors import (
    ContextOverflowError,
    EngineCrashedError,
    IntegrityError,
    NoSpaceError,
    NotFoundError,
    PluriverseError,
    UnreachableError,
    UnsupportedError,
    UsageError,
)

Dialect = Literal["openai", "anthropic", "ollama", "own"]

_OLLAMA = {"/api/tags", "/api/show", "/api/chat", "/api/generate", "/api/version", "/api/ps", "/api/embed"}
_STATUS: tuple[tuple[type[PluriverseError], int], ...] = (
    (UsageError, 400),
    (UnsupportedError, 400),
    (ContextOverflowError, 400),
    (NotFoundError, 404),
    (EngineCrashedError, 503),
    (UnreachableError, 503),
    (NoSpaceError, 507),
    (IntegrityError, 500),
)
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error",
}  # fmt: skip
_OPENAI_CODES = {"not_found": "model_not_found", "context_overflow": "context_length_exceeded"}


class RefusedError(PluriverseError):
    """The server itself does not do it: who asks may not, or it has too much to do."""

    kind = "refused"

    def __init__(self, status: int, message: str, hint: str | None = None, *, wait_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.status = status
        self.headers: Mapping[str, str] = {} if wait_s is None else {"retry-after": str(max(1, math.ceil(wait_s)))}


def status_of(error: PluriverseError) -> int:
    if isinstance(error, RefusedError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def dialect_of(path: str) -> Dialect:
    """The API that a path belongs to."""
    if path.startswith("/v1/messages"):
        return "anthropic"
    if path.startswith("/v1/") or path in {"/tokenize", "/detokenize", "/tokenizer_info"}:
        return "openai"
    return "ollama" if path in _OLLAMA else "own"


def document_of(error: PluriverseError, dialect: Dialect) -> dict[str, Any]:
    """The body of an answer that says it; in streams too. Ours, with its kind and hint, is in each of them."""
    status, ours = status_of(error), error.as_dict()
    sentence = f"{error.message}; {error.hint}" if error.hint else error.message
    match dialect:
        case "own":
            return {"error": ours}
        case "ollama":
            return {"error": sentence, "pluriverse": ours}
        case "anthropic":
            kind = _ANTHROPIC_TYPES.get(status, "api_error")
            return {"type": "error", "error": {"type": kind, "message": sentence, "pluriverse": ours}}
        case "openai":
            kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
            code, param = _OPENAI_CODES.get(error.kind, error.kind), getattr(error, "param", None)
            return {"error": {"message": sentence, "type": kind, "param": param, "code": code, "pluriverse": ours}}


class FieldError(UsageError):
    """A field of a request's body is unknown here, or does not fit."""

    def __init__(self, param: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.param = param
