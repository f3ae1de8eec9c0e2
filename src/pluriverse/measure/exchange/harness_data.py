"""Documents and examples of an lm-evaluation-harness task: its local files, its splits, the examples it would draw.

Knows files and the harness's order of chance (read in its `api/samplers.py`, release 0.4.13); no prompts and no items.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import UsageError

SEED = 1234  # of the harness's examples, unless its user gives another
_ENDINGS = {".jsonl": "json", ".json": "json", ".csv": "csv"}
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """`asked` in the file's order; `examples` of document number i are `shots(i)`; `files` were read."""

    asked: list[dict[str, Any]]
    shots: Callable[[int], Sequence[Document]]
    fields: frozenset[str]
    files: tuple[Path, ...]


def documents(config: Mapping[str, Any], path: Path) -> Documents:
    """What the task of this file asks about. UsageError in words for what is not there, not local or not simple."""
    files = _files(config, path)
    asked_split = config.get("test_split") or config.get("validation_split")
    if not asked_split:
        raise UsageError(f"{path.name} names no split to ask", "write test_split: train for a single data file")
    splits: dict[str, list[dict[str, Any]]] = {}

    def split(name: str) -> list[dict[str, Any]]:
        if name not in files:
            raise UsageError(f"{path.name} has no data file for the split {name!r}; it has {', '.join(files)}")
        if name not in splits:
            splits[name] = _read(files[name])
        return splits[name]

    asked = split(asked_split)
    if not asked:
        raise UsageError(f"{files[asked_split].name} has no documents")
    shots = _shots(config, path, asked, split)
    fields = frozenset(name for row in asked for name in row)
    return Documents(asked, shots, fields, tuple(files[name] for name in splits))


def _files(config: Mapping[str, Any], path: Path) -> dict[str, Path]:
    """Split: file. A single file is the split `train`, as the harness has it."""
    kind, given = str(config.get("dataset_path") or ""), (config.get("dataset_kwargs") or {}).get("data_files")
    if Path(kind).suffix in _ENDINGS and given is None:
        given = kind
    elif kind not in {"json", "csv"}:
        raise UsageError(
            f"{path.name} takes its data from {kind or 'nowhere'!r}; only local files are read",
            "save them as JSONL or CSV, write dataset_path: json and dataset_kwargs: {data_files: {test: FILE}}",
        )
    if isinstance(given, str):
        given = {"train": given}
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in given.values()):
        raise UsageError(f"{path.name} must name one data file for each split", "write data_files: {test: FILE}")
    found = {}
    for split, name in given.items():
        if "://" in name:
            raise UsageError(f"{path.name} takes its data from {name}; only local files are read", "download it first")
        found[str(split)] = path.parent / name
        if not found[split].is_file():
            raise UsageError(f"{path.name} names the data file {name}, which is not beside it")
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    """Every document has every field, as a table would; None where the file has nothing."""
    try:
        text = path.read_text("utf-8-sig")
        rows = _table(text) if path.suffix == ".csv" else _objects(text)
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path.name} cannot be read: {error}") from error
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def _objects(text: str) -> list[dict[str, Any]]:
    if text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("not every line is an object")
    return list(rows)


def _table(text: str) -> list[dict[str, Any]]:
    """Columns that hold nothing but whole numbers are numbers, as the harness's reader has them."""
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text), strict=True))
    for name in rows[0] if rows else ():
        if all((row[name] or "").removeprefix("-").isdecimal() for row in rows):
            for row in rows:
                row[name] = int(row[name])
    return rows


def _shots(
    config: Mapping[str, Any], path: Path, asked: list[dict[str, Any]], split: Callable[[str], list[dict[str, Any]]]
) -> Callable[[int], Sequence[Document]]:
    """Examples for each document in turn. Chance runs over all documents, so that all are drawn at once."""
    number, given = int(config.get("num_fewshot") or 0), config.get("fewshot_config") or {}
    if not number:
        return lambda place: ()
    if strange := set(given) - {"sampler", "split", "samples"}:
        raise UsageError(f"{path.name} has {', '.join(sorted(strange))} in fewshot_config, which is not simple")
    source = given.get("split") or config.get("fewshot_split")
    if source is None and not given.get("samples"):
        source = config.get("training_split")
    if source is None and not isinstance(given.get("samples"), list):
        raise UsageError(f"{path.name} wants {number} examples and does not say whence", "write fewshot_split: NAME")
    pool = split(source) if source is not None else given["samples"]
    own = source == config.get("test_split")  # a document must not be its own example
    sampler = given.get("sampler") or "default"
    if sampler not in {"default", "first_n"}:
        raise UsageError(f"{path.name} draws examples by {sampler!r}, which is not known", "use default or first_n")
    generator = random.Random(SEED)  # noqa: S311 (an order, no secret)
    try:
        drawn = [_drawn(generator, pool, number, each if own else None, sampler) for each in asked]
    except ValueError:
        raise UsageError(f"{path.name} wants {number} examples; {len(pool)} are too few") from None
    return drawn.__getitem__


def _drawn(
    generator: random.Random, pool: Sequence[Document], number: int, without: Document | None, sampler: str
) -> Sequence[Document]:
    """ValueError where there are too few."""
    others = [each for each in pool if each != without] if without is not None else list(pool)
    if sampler == "first_n":
        if number > len(others):
            raise ValueError(number)
        return others[:number]
    if without is None:
        return generator.sample(others, number)
    found = [each for each in generator.sample(list(pool), number + 1) if each != without][:number]
    return found if len(found) == number else generator.sample(others, number)
