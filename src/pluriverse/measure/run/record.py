"""Runs on disk: what was planned, who answered, and one line per response, appended and never rewritten.

    runs/RUN/run.json          the plan and the respondents; written whole, then renamed
    runs/RUN/responses.jsonl   one response a line, in the order in which they came
    runs/RUN/verdicts.jsonl    what judge panels said of them, one line per response and question (`verdicts`)
    runs/RUN/skipped.jsonl     who was not asked what, since the instrument did not pass on its model

RUN follows from the plan, so that the same measurement goes on where it was, after a kill too: a line that was cut is
left out and asked again. Knows files; asks nobody and scores nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from filelock import FileLock, Timeout

from ...errors import IntegrityError, NotFoundError, PluriverseError
from ...files import appending, make_folder, read_json, write
from ...jsonl import MISREAD, append, cut_torn_line, shallow, whole_lines
from ..classify.rows import row_of
from ..judges.validation import JudgeValidation, JudgeValidations
from ..judges.verdicts import VerdictRow, judged, verdict_row_of
from ..schema.instrument import Instrument, parsed
from ..schema.responses import Respondent, Response, respondent_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes a run the same run: who is asked what. `instruments`: name and version.

    `imported`: those that came from a file, whole, since only the run knows them.
    """

    instruments: tuple[tuple[str, str], ...]
    respondents: tuple[Respondent, ...]
    limit: int | None
    seed: int
    command: str = ""
    imported: tuple[Instrument, ...] = ()
    until: float | None = None  # the half-width at which instruments stop early

    @property
    def id(self) -> str:
        same: dict[str, Any] = {
            "instruments": self.instruments,
            "respondents": sorted(each.key for each in self.respondents),
            "limit": self.limit,
            "seed": self.seed,
        }
        if self.until is not None:  # runs of before have kept their names
            same["until"] = self.until
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Skipped:
    """That a respondent was not asked an instrument, and why: what its check found."""

    instrument: str
    version: str
    respondent: str
    why: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands on disk. `gauges`: how far its judges can be trusted, as far as they were asked."""

    id: str
    created: str  # ISO date
    plan: Plan
    responses: tuple[Response, ...]
    verdict_rows: tuple[VerdictRow, ...] = ()
    validations: tuple[JudgeValidation, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def judged(self) -> list[Response]:
        """The responses with what judge panels said of them."""
        return judged(self.responses, self.verdict_rows, self.validations)

    @property
    def respondents(self) -> dict[str, Respondent]:
        return {each.key: each for each in self.plan.respondents}


def key_of(**parts: Any) -> str:
    """The name of a respondent in rows: from all that decides what it answers."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


class Record:
    """One run that is being written. A context manager: nobody else writes the same run meanwhile."""

    def __init__(self, home: Path, plan: Plan) -> None:
        self.plan = plan
        self.folder = home / "runs" / plan.id
        self._lines, self._said = self.folder / "responses.jsonl", self.folder / "verdicts.jsonl"
        self._left = self.folder / "skipped.jsonl"
        self._lock = FileLock(self.folder / "lock", timeout=0, mode=0o600)
        self._files: list[IO[bytes]] = []
        self.responses: list[Response] = []
        self.verdict_rows: list[VerdictRow] = []

    def __enter__(self) -> Self:
        try:
            make_folder(self.folder.parent)
            make_folder(self.folder)
            self._lock.acquire()
        except Timeout:
            raise PluriverseError(
                f"run {self.plan.id} is being measured by another process",
                "wait for it, then call again: nothing is lost",
            ) from None
        except OSError as error:
            raise PluriverseError(
                f"{self.folder} cannot be written: {error.strerror}", "set PLURIVERSE_HOME"
            ) from error
        self._describe()
        for path in (self._lines, self._said, self._left):
            cut_torn_line(path)
        self.responses = list(_responses(self._lines, self.plan.respondents))
        self.verdict_rows = list(_verdict_rows(self._said))
        self._files = [appending(self._lines)]
        return self

    def __exit__(self, *exc: object) -> None:
        for file in self._files:
            file.close()
        self._lock.release()

    @property
    def cells(self) -> set[tuple[str, str, str]]:
        """What is answered: respondent, instrument, cell."""
        return {(each.respondent, each.instrument, each.cell) for each in self.responses}

    def add(self, responses: Sequence[Response]) -> None:
        """Append them and bring them to the disk. NoSpaceError leaves what was there before."""
        append(self._files[0], self._lines, [each.as_dict() for each in responses])
        self.responses += responses

    def rule(self, verdict_rows: Sequence[VerdictRow]) -> None:
        """The same for what a judge panel said. There is no file of verdicts where there was no judge panel."""
        if len(self._files) < 2:
            self._files.append(appending(self._said))
        append(self._files[1], self._said, [each.as_dict() for each in verdict_rows])
        self.verdict_rows += verdict_rows

    def skip(self, skipped: Sequence[Skipped]) -> None:
        """The same for what is not asked; what is known already is not written again."""
        known = {replace(each, why="") for each in _skipped(self._left)}
        if new := [each for each in skipped if replace(each, why="") not in known]:
            with appending(self._left) as file:
                append(file, self._left, [asdict(each) for each in new])

    def _describe(self) -> None:
        place = self.folder / "run.json"
        if place.is_file():
            return
        document = {"created": datetime.now(UTC).isoformat(timespec="seconds"), "format": 1, **asdict(self.plan)}
        write(place, json.dumps(document, ensure_ascii=False, indent=1, default=dict).encode("utf-8", "surrogatepass"))


def runs(home: Path) -> list[Run]:
    """All runs that can be read, the newest last; `unreadable` tells of the others."""
    found = []
    for place in sorted((home / "runs").glob("*/run.json")):
        try:
            found.append(_run(place.parent))
        except IntegrityError:
            continue
    return sorted(found, key=lambda run: run.created)


def unreadable(home: Path, found: Sequence[Run] = ()) -> list[IntegrityError]:
    """What is wrong with the runs that cannot be read; those `found` are not looked at again."""
    known, errors = {run.id for run in found}, []
    for place in sorted((home / "runs").glob("*/run.json")):
        try:
            if place.parent.name not in known:
                _run(place.parent)
        except IntegrityError as error:
            errors.append(error)
    return errors


def read_run(home: Path, id: str) -> Run:
    """NotFoundError for a run that is not there, IntegrityError for one that cannot be understood."""
    folder = home / "runs" / id
    if not id.isalnum() or not (folder / "run.json").is_file():
        raise NotFoundError(f"there is no run {id!r}", "see them: pluriverse report --runs")
    return _run(folder)


def _run(folder: Path) -> Run:
    plan, created = _described(folder)
    responses = _responses(folder / "responses.jsonl", plan.respondents)
    verdict_rows = tuple(_verdict_rows(folder / "verdicts.jsonl"))
    validations = JudgeValidations(folder.parents[1]).all() if verdict_rows else ()
    skipped = tuple(_skipped(folder / "skipped.jsonl"))
    return Run(folder.name, created, plan, tuple(responses), verdict_rows, validations, skipped)


def _described(folder: Path) -> tuple[Plan, str]:
    """What was planned and when, without a row."""
    try:
        document = read_json(folder / "run.json")
        shallow(document)
        _kinds(document)
        plan = Plan(
            tuple((str(name), str(version)) for name, version in document["instruments"]),
            tuple(respondent_of(each) for each in document["respondents"]),
            document["limit"],
            document["seed"],
            document.get("command", ""),
            # What was kept before `form` was were tasks of a harness, whose items are raw.
            tuple(parsed({"form": "raw", **each}) for each in document.get("imported", ())),
            document.get("until"),
        )
        return plan, str(document["created"])
    except (OSError, *MISREAD) as error:
        raise IntegrityError(f"{folder / 'run.json'} cannot be understood: {error}", f"delete {folder}") from error


_PLANNED: dict[str, Any] = {
    "limit": (int, type(None)), "seed": int, "command": str, "created": str, "until": (int, float, type(None)),
}  # fmt: skip


def _kinds(document: dict[str, Any]) -> None:
    """TypeError where a field is of another kind than what a plan writes."""
    for name, kind in _PLANNED.items():
        if name in document and (not isinstance(document[name], kind) or isinstance(document[name], bool)):
            raise TypeError(f"{name} is {document[name]!r:.40}")


def _responses(path: Path, who: Sequence[Respondent]) -> Iterator[Response]:
    prompts = {each.key: each.system for each in who}
    return whole_lines(path, lambda document: row_of(document, prompts), "response", "it will be asked again")


def _verdict_rows(path: Path) -> Iterator[VerdictRow]:
    return whole_lines(path, verdict_row_of, "verdict", "it will be judged again")


def _skipped(path: Path) -> Iterator[Skipped]:
    return whole_lines(path, _skip_of, "skipped instrument", "it will be checked again")


def _skip_of(document: Mapping[str, Any]) -> Skipped:
    if not all(isinstance(each, str) for each in document.values()):
        raise TypeError("its fields are texts")
    return Skipped(**document)
