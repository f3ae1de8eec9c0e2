"""Choosing blind: names stay hidden until the reader has chosen; what was chosen stays in one file of this machine.

A line has the names that stood to choose from and the one that was chosen, or none; no word of question or answers.
Knows that file and what its choices say together.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from ...errors import UsageError
from ...files import appending, delete, make_folder
from ...jsonl import append, cut_torn_line, whole_lines
from ...measure.stats.choices import bradley_terry
from ...settings import Settings
from ..asking import reader_of, workspace_for
from ..house import House
from .answering import address
from .forms import form_of
from .rendering import PageRoute, page, to
from .showing import Showing
from .talks import Talks

NONE = "none"  # of them is best


@dataclass(frozen=True, slots=True)
class Choice:
    """Who stood to choose from, and who was chosen; None: nobody."""

    among: tuple[str, ...]
    chosen: str | None


def router(house: House, talks: Talks) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.post("/talk/{key}/choose")
    async def choose(request: Request, key: str) -> Response:
        workspace, form = workspace_for(house, request), await form_of(request)
        showing = Showing(workspace.shelf)
        turns = talks.turns(reader_of(request), workspace, key)
        answers = showing.rounds(turns, [])[-1].answers if turns else ()
        given = str(form.get("place") or "")
        names = tuple(each.name for each in answers)
        if given != NONE and not (given.isdecimal() and len(given) < 4 and int(given) < len(names)):
            raise UsageError("no answer was chosen", "choose one, or none of them")
        chosen = None if given == NONE else names[int(given)]
        if not key.startswith("now-"):  # nothing is kept of what is not kept
            _keep(file_of(workspace.settings), Choice(names, chosen))
        return to(f"{address(key)}?chosen={given}")

    @routes.get("/choices")
    async def listed(request: Request) -> Response:
        workspace = workspace_for(house, request)
        choices = _kept(file_of(workspace.settings))
        rows = await asyncio.to_thread(table, choices)
        showing = Showing(workspace.shelf)
        document = {"choices": len(choices), "rows": rows}
        titles = {row["assistant"]: showing.title(row["assistant"]) for row in rows}
        return page(request, "choices.html", document, rows=rows, number=len(choices), titles=titles)

    @routes.post("/choices/delete")
    async def forget(request: Request) -> Response:
        path = file_of(workspace_for(house, request).settings)
        if path.exists():
            delete(path)
        return to("/choices")

    return routes


def file_of(settings: Settings) -> Path:
    """Beside the reader's history."""
    return settings.history_file.with_name("choices.jsonl")


def table(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """A row for each voice that stood to choose from, those that were chosen most often first: `shown` and `chosen`
    times, and the chance of being chosen beside an average one of them with its interval."""
    names = sorted({name for each in choices for name in each.among})
    places = {name: place for place, name in enumerate(names)}
    decided = [(places[each.chosen], [places[name] for name in each.among]) for each in choices if each.chosen]
    chances = bradley_terry(decided, len(names))
    rows = [
        {
            "assistant": name,
            "shown": sum(name in each.among for each in choices),
            "chosen": sum(name == each.chosen for each in choices),
            "value": chance.value,
            "low": chance.low,
            "high": chance.high,
        }
        for name, chance in zip(names, chances, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["value"])


def _keep(path: Path, choice: Choice) -> None:
    make_folder(path.parent)
    cut_torn_line(path)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with closing(appending(path)) as file:
        append(file, path, [{"at": now, "among": list(choice.among), "chosen": choice.chosen}])


def _kept(path: Path) -> list[Choice]:
    return list(whole_lines(path, _read, "choice", "the others count as before"))


def _read(document: Mapping[str, Any]) -> Choice:
    among, chosen = tuple(map(str, document["among"])), document["chosen"]
    if chosen is not None and chosen not in among:
        raise ValueError("who was chosen did not stand to choose from")
    return Choice(among, chosen)
