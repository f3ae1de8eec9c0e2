"""Rows as one flat table in Parquet, with what is known of each respondent joined to its rows.

Knows columns; needs pyarrow (the extra `parquet`), imported only when called. Nothing is lost: `read` gives the same
rows and respondents back. What has no fixed shape (metadata, sampler, guidance, identity) is JSON text in its column.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...errors import IntegrityError, NotFoundError, PluriverseError
from ...files import make_folder, replacing
from ..classify.rows import row_of
from ..schema.responses import WRITTEN, Respondent, Response
from . import respondent_of

FORMAT = "pluriverse responses 1"
_OF_RESPONDENT = [each.name for each in fields(Respondent) if each.name not in {"key", "assistant"}]
_AS_JSON = {"metadata", "sampler", "guidance", "identity"}


def write(responses: Sequence[Response], respondents: Mapping[str, Respondent], path: Path) -> Path:
    """One row per response. PluriverseError without pyarrow, or where the file cannot be written."""
    arrow, parquet = _pyarrow()
    rows = [_row(each, respondent_of(each, respondents)) for each in responses]
    table = arrow.Table.from_pylist(rows, schema=_schema(arrow))
    try:
        make_folder(path.parent, private=False)
        with replacing(path) as fresh:
            parquet.write_table(table, fresh, compression="zstd")
    except OSError as error:
        raise PluriverseError(f"{path} cannot be written: {error}", "choose another place") from error
    return path


def read(path: Path) -> tuple[list[Response], dict[str, Respondent]]:
    """What `write` wrote. IntegrityError for a file that is another's."""
    arrow, parquet = _pyarrow()
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}")
    try:
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        raise IntegrityError(f"{path} is no Parquet file that can be read: {error}") from error
    if (table.schema.metadata or {}).get(b"pluriverse") != FORMAT.encode():
        raise IntegrityError(f"{path} is a table, but not of pluriverse's responses", f"it must say: {FORMAT}")
    respondents: dict[str, Respondent] = {}
    responses = []
    for row in table.to_pylist():
        row |= {name: json.loads(row.get(name) or "null") for name in _AS_JSON}
        row["target"] = row["target"] or row["target_texts"]
        responses.append(row_of(row, {row["respondent"]: row["system"]}))
        if row["respondent"] not in respondents:
            known = {name: row[name] for name in _OF_RESPONDENT}
            respondents[row["respondent"]] = Respondent(key=row["respondent"], assistant=row["assistant"], **known)
    return responses, respondents


def _row(response: Response, respondent: Respondent) -> dict[str, Any]:
    row = response.as_dict() | {name: getattr(respondent, name) for name in _OF_RESPONDENT}
    numbers = all(isinstance(each, int) for each in response.target)
    row["target"], row["target_texts"] = (response.target, ()) if numbers else ((), response.target)
    return row | {name: json.dumps(_plain(row[name]), ensure_ascii=False) for name in _AS_JSON}


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _schema(arrow: Any) -> Any:
    text, whole, real = arrow.string(), arrow.int64(), arrow.float64()
    kinds = {
        "rotation": whole,
        "draw": whole,
        "target": arrow.list_(whole),
        "contents": arrow.list_(whole),
        "logprobs": arrow.list_(real),
        "lengths": arrow.list_(whole),
        "options": arrow.list_(text),
        "seed": whole,
        "prompt_tokens": whole,
        "completion_tokens": whole,
        "seconds": real,
        "unfinished": arrow.bool_(),
        "target_texts": arrow.list_(text),
    }
    names = [*WRITTEN, "target_texts", *_OF_RESPONDENT]
    return arrow.schema([(name, kinds.get(name, text)) for name in names], metadata={"pluriverse": FORMAT})


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise PluriverseError(
            "Parquet needs pyarrow, which is not installed", "pip install 'pluriverse[parquet]'"
        ) from error
