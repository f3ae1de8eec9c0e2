"""Public data sets by name: from the local folder `PLURIVERSE_DATA`, from the data folder, or from their public home.

Every file is checked against its digest before a byte of it is used, and one whose licence forbids commercial use is
read only after somebody agreed to that. Knows addresses, digests and licences; nothing of measures.
"""

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from ... import toml
from ...errors import IntegrityError, NotFoundError, UnreachableError, UsageError
from ...files import read_json, write
from ...settings import Settings
from .packages import DATASETS, folders

_HOME = "https://raw.githubusercontent.com"
_AT_ONCE = 8  # files read or fetched together
_KEPT = "licences.json"  # set: the licence somebody agreed to


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file as its publisher has it. Files of one `set` share a licence: CMMLU has 134 of them."""

    name: str
    title: str
    source: str  # who made it
    licence: str
    repository: str  # empty where `url` is no repository's
    commit: str
    url: str
    local: str  # where `PLURIVERSE_DATA` has it
    bytes: int
    sha256: str
    noncommercial: bool = False

    @property
    def set(self) -> str:
        """What one agrees to: the name's first part."""
        return self.name.partition("/")[0]

    @property
    def set_title(self) -> str:
        return self.title.partition(",")[0]


@cache
def _found() -> tuple[dict[str, Dataset], tuple[UsageError, ...]]:
    """All files, in the order of ours and then of other packages' `datasets.toml`; what hinders those of a package."""
    found: dict[str, Dataset] = {}
    problems = []
    for folder in folders()[0]:
        for file in folder.files:
            if file.name == DATASETS:
                try:
                    here = _read(file)
                    if taken := here.keys() & found.keys():
                        raise ValueError(f"there are other data named {min(taken)}")
                    found |= here
                except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                    why = f"it lacks {error}" if isinstance(error, KeyError) else error
                    problems.append(folder.wrong(file.name, why))
    return found, tuple(problems)


def _read(file: Traversable) -> dict[str, Dataset]:
    document = toml.parse(file.read_text("utf-8"))
    files = [_described(table, word, *file) for table in document.values() for word, file in table["files"].items()]
    return {each.name: each for each in files}


def known() -> dict[str, Dataset]:
    """All files by name."""
    return _found()[0]


def _dataset(name: str) -> Dataset:
    """NotFoundError where no `datasets.toml` that can be read names it."""
    if name not in known():
        problems = "; ".join(each.message for each in _found()[1])
        raise NotFoundError(f"there are no data named {name}", problems or f"describe them in {DATASETS}")
    return known()[name]


@cache
def of_set(name: str) -> tuple[str, ...]:
    """The names of a set's files, or of those in a folder of it (`cmmlu/dev`); of one file, its own."""
    return tuple(each for each in known() if each == name or each.startswith(f"{name}/"))


async def bytes_of(name: str, settings: Settings) -> bytes:
    """The file, fetched once and kept.

    UsageError where its licence asks for a consent that nobody gave, UnreachableError where it is not to be had,
    IntegrityError where it is another file, NotFoundError where nothing describes it.
    """
    dataset = _dataset(name)
    if needs_consent((name,), settings):
        raise UsageError(
            f"{dataset.set_title} is for non-commercial use only ({dataset.licence})",
            f"pluriverse measure {dataset.set} --accept-licence",
        )
    places = _places(dataset, settings)
    for place in places:
        if place.is_file():
            return _checked(dataset, await asyncio.to_thread(place.read_bytes), str(place))
    content = _checked(dataset, await _fetched(dataset, settings), dataset.url)
    await asyncio.to_thread(write, places[-1], content)
    return content


async def text_of(name: str, settings: Settings) -> str:
    """The file's text; raises what `bytes_of` raises."""
    return (await bytes_of(name, settings)).decode("utf-8")


async def texts_of(names: Sequence[str], settings: Settings) -> list[str]:
    """Several texts in the order of `names`, some at a time."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> str:
        async with free:
            return await text_of(name, settings)

    return list(await asyncio.gather(*map(one, names)))


def missing(names: Iterable[str], settings: Settings) -> list[str]:
    """Of these sets or files, the files that are neither in `PLURIVERSE_DATA` nor in the data folder."""
    asked = dict.fromkeys(file for name in names for file in of_set(name))
    return [file for file in asked if not any(place.is_file() for place in _places(known()[file], settings))]


def needs_consent(names: Iterable[str], settings: Settings) -> list[str]:
    """Of these sets or files, the sets for non-commercial use only to whose licence nobody has agreed yet."""
    asked = dict.fromkeys(file for name in names for file in of_set(name))
    files = [known()[file] for file in asked if known()[file].noncommercial]
    agreed = _agreed(settings) if files else {}
    return list(dict.fromkeys(each.set for each in files if agreed.get(each.set) != each.licence))


def consent(name: str, settings: Settings) -> None:
    """Keep that somebody agreed to the licence of this set; a changed licence is asked for again."""
    licences = {known()[file].set: known()[file].licence for file in of_set(name)}
    document = json.dumps({**_agreed(settings), **licences}, indent=2, sort_keys=True)
    write(settings.home / _KEPT, document.encode())


async def labelled(name: str, settings: Settings) -> Path:
    """The folder under whose gold/ a set of `classify.labelled` lies: PLURIVERSE_DATA, where it has gold/ (any part of
    the sets), else where the files as published are, which are fetched once. Raises what `bytes_of` raises."""
    if settings.data and (settings.data / "gold" / name).is_dir():
        return settings.data
    files = of_set(f"gold-{name}")
    await texts_of(files, settings)
    given = settings.data / known()[files[0]].local if settings.data else None
    home = settings.data if given and given.is_file() else settings.home / "data"
    assert home
    return home / "labelled"


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


def _described(table: dict[str, Any], word: str, size: int, digest: str) -> Dataset:
    title, path, local, name = (
        table[field].replace("{}", word).replace("{lower}", word.lower())
        for field in ("title", "path", "local", "name")
    )
    if Path(local).is_absolute() or ".." in Path(local).parts:
        raise ValueError(f"local is {local}, which leads out of the folder of data")
    repository, commit = table.get("repository", ""), table.get("commit", "")
    return Dataset(
        name=name,
        title=title,
        source=table["source"],
        licence=table["licence"],
        repository=repository,
        commit=commit,
        url=f"{table.get('home') or f'{_HOME}/{repository}/{commit}'}/{path}",
        local=local,
        bytes=size,
        sha256=digest,
        noncommercial=bool(table.get("noncommercial", False)),
    )


def _places(dataset: Dataset, settings: Settings) -> list[Path]:
    """Where it may lie, in the order in which it is looked for; last where what is fetched is kept."""
    folders = [settings.data] if settings.data else []
    return [folder / dataset.local for folder in (*folders, settings.home / "data")]


def _agreed(settings: Settings) -> dict[str, str]:
    """What was agreed to; nothing where the file is not there or cannot be understood."""
    try:
        document = read_json(settings.home / _KEPT)
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


async def _fetched(dataset: Dataset, settings: Settings) -> bytes:
    from ...store.sources.http import read_url

    hint = f"or put the file into the folder that PLURIVERSE_DATA names, as {dataset.local}"
    if settings.offline:
        raise UnreachableError(
            f"{dataset.title} is not here and PLURIVERSE_OFFLINE is set",
            f"unset PLURIVERSE_OFFLINE, {hint}; it is at {dataset.url}",
        )
    try:
        return await read_url(dataset.url, dataset.bytes)
    except UnreachableError as error:
        raise UnreachableError(f"{dataset.title} cannot be fetched: {error}", f"try again later, {hint}") from error


def _checked(dataset: Dataset, content: bytes, where: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != dataset.sha256:
        raise IntegrityError(
            f"{where} is not {dataset.title} as published: its digest differs",
            f"delete it; the file is at {dataset.url}",
        )
    return content
