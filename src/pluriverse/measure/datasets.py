"""Public data sets by name: from the local folder `PLURIVERSE_DATA`, from the data folder, or from their public home.

Every file is checked against its digest before a byte of it is used. Knows addresses and digests; nothing of measures.
"""

import asyncio
import csv
import hashlib
import io
import json
import os
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from ..errors import IntegrityError, PluriverseError, UnreachableError
from ..settings import Settings

_HOME = "https://raw.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file as its publisher has it."""

    name: str
    title: str
    source: str  # who made it
    licence: str
    repository: str
    commit: str
    path: str
    local: str  # where `PLURIVERSE_DATA` has it
    bytes: int
    sha256: str

    @property
    def url(self) -> str:
        return f"{_HOME}/{self.repository}/{self.commit}/{self.path}"


@cache
def known() -> dict[str, Dataset]:
    document = tomllib.loads(resources.files(__package__).joinpath("datasets.toml").read_text("utf-8"))
    return {name: Dataset(name, **entry) for name, entry in document.items()}


async def text_of(name: str, settings: Settings) -> str:
    """The file's text, fetched once and kept. UnreachableError where it is not to be had, IntegrityError for others."""
    dataset = known()[name]
    kept = settings.home / "data" / dataset.local
    for place in (settings.data / dataset.local if settings.data else None, kept):
        if place is not None and place.is_file():
            return _checked(dataset, await asyncio.to_thread(place.read_bytes), str(place))
    content = await _fetched(dataset, settings)
    text = _checked(dataset, content, dataset.url)
    await asyncio.to_thread(_keep, kept, content)
    return text


async def persona_statements(name: str, settings: Settings) -> list[str]:
    """What somebody of this persona would say yes to; Anthropic's model-written statements."""
    rows = [json.loads(line) for line in (await text_of(name, settings)).splitlines() if line.strip()]
    return [row["statement"] for row in rows if row["answer_matching_behavior"].strip() == "Yes"]


@dataclass(frozen=True, slots=True)
class Truth:
    """A question of TruthfulQA with its reference answers."""

    question: str
    true: tuple[str, ...]
    false: tuple[str, ...]


async def truthfulqa(settings: Settings) -> list[Truth]:
    """All questions in the file's order; the best answer counts among the true ones."""
    rows = csv.DictReader(io.StringIO(await text_of("truthfulqa", settings)))
    return [
        Truth(
            row["Question"],
            _listed(f"{row['Best Answer']};{row['Correct Answers']}"),
            _listed(row["Incorrect Answers"]),
        )
        for row in rows
    ]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip().rstrip(".") for each in text.split(";") if each.strip()))


async def _fetched(dataset: Dataset, settings: Settings) -> bytes:
    from ..store.sources.http import open_url

    hint = f"or put it into the folder PLURIVERSE_DATA names, as {dataset.local}"
    if settings.offline:
        raise UnreachableError(f"{dataset.title} is not here and PLURIVERSE_OFFLINE is set", f"unset it, {hint}")
    content = bytearray()
    try:
        async with open_url(dataset.url, 0, None) as stream:
            async for chunk in stream.chunks:
                content += chunk
                if len(content) > dataset.bytes:
                    break
    except UnreachableError as error:
        raise UnreachableError(
            f"{dataset.title} cannot be fetched: {error.message}", f"try again later, {hint}"
        ) from error
    return bytes(content)


def _checked(dataset: Dataset, content: bytes, where: str) -> str:
    if hashlib.sha256(content).hexdigest() != dataset.sha256:
        raise IntegrityError(
            f"{where} is not {dataset.title} as published: its digest differs",
            f"delete it; the file is at {dataset.url}",
        )
    return content.decode("utf-8")


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all; a full disk costs only the next fetch."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(scratch).replace(path)
    except OSError as error:
        raise PluriverseError(
            f"{path} cannot be written: {error}", "free some space, or set PLURIVERSE_HOME"
        ) from error
