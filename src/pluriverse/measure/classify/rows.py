"""Rows as they are read back: those that were written before thinking was told apart hold it in their text."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...engines.thinking import told
from ..schema.responses import Response, response_of
from .rules import classify


def row_of(document: Mapping[str, Any], prompts: Mapping[str, str] | None = None) -> Response:
    """As `response_of`; thinking in the text of an older row is told apart now, and what is left is classed anew."""
    response = response_of(document, prompts)
    return response if "thinking" in document else _told_apart(response)


def _told_apart(row: Response) -> Response:
    found = told(row.text)
    if found.text == row.text:
        return row
    kind = row.kind and classify(
        row.text, question=row.prompt, language=row.language, finish_reason=row.finish_reason or "stop"
    ).kind  # fmt: skip
    return replace(row, text=found.text.strip(), kind=kind, thinking=found.thinking or "", unfinished=found.unfinished)
