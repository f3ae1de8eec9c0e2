"""What was measured, as pages: maps, the leaderboard, two assistants compared. The report's own blocks, between our top
and foot.

Knows results and the report. Computes in a thread, once: others are answered meanwhile.
"""

import asyncio
import datetime
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from ...errors import IntegrityError, NotFoundError, UsageError
from ...measure.data.published import published
from ...measure.metrics.by_name import metric_of
from ...measure.results.assemble import card, checks_of, figures
from ...measure.results.board import board
from ...measure.results.compare import compare
from ...measure.results.for_report import report
from ...measure.results.result_set import ResultSet, latest
from ...measure.run.record import runs
from ...measure.run.sensitivity import KeptChecks, SensitivityCheck
from ...measure.schema.figure import Figure
from ...measure.schema.reasons import Tested
from ...measure.schema.words import verdict
from ...report.card import card_html
from ...report.markup import Html
from ...report.sections import glance, leaderboard, maps, sensitivity
from ...report.style import STYLE
from ...report.tables import Counter
from ...settings import Settings
from ..asking import workspace_for
from ..house import House
from .rendering import PageRoute, markup, page

Found = tuple[ResultSet, list[SensitivityCheck]]
_STYLED = re.compile(r' style="--share:[0-9.]+"')  # the pages' policy allows no styles in elements


T = TypeVar("T")


class Computed:
    """What was computed of the runs and checks of a data folder, for as long as these stay as they are: it can take a
    minute. Whoever asks meanwhile waits for the same."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, str], tuple[object, Any]] = {}
        self._one = asyncio.Lock()

    async def of(self, settings: Settings, what: str, compute: Callable[..., T], *given: Any) -> T:
        """`compute(settings, *given)`; `what` names it."""
        key = settings.home, what
        async with self._one:
            state = await asyncio.to_thread(_state, settings.home)
            if key not in self._found or self._found[key][0] != state:
                self._found[key] = state, await asyncio.to_thread(compute, settings, *given)
            found: T = self._found[key][1]
            return found


def _state(home: Path) -> object:
    """Changes whenever something was measured, checked or labelled."""
    files = [home / "proofs.json", *(home / "checks").rglob("*"), *(home / "runs").rglob("*")]
    return [
        (str(each), state.st_mtime_ns, state.st_size) for each in files if each.is_file() and (state := each.stat())
    ]


def router(house: House, computed: Computed) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.get("/static/report.css")
    async def style() -> Response:
        return Response(STYLE, media_type="text/css", headers={"cache-control": "no-cache"})

    @routes.get("/results")
    async def results(request: Request) -> Response:
        settings = workspace_for(house, request).settings
        document, names, blocks = await computed.of(settings, "results", _results)
        return page(request, "results.html", document, names=names, blocks=blocks)

    @routes.get("/results/compare")
    async def compared(request: Request, a: str = "", b: str = "") -> Response:
        if not a or not b or a == b:
            raise UsageError("two assistants are compared", "choose two that are not the same")
        settings = workspace_for(house, request).settings
        found, differences, own = await computed.of(settings, f"compare {a} {b}", _compared, a, b)
        document = {"a": a, "b": b, "rows": [each.as_dict() for each in (*differences, *own)]}
        rows = _rows(found, a, b, differences, own)
        return page(request, "compare.html", document, a=a, b=b, rows=rows, notes=found.notes)

    return routes


def card_of(settings: Settings, name: str) -> tuple[list[Any], list[Html]]:
    """The rows of one assistant's figures and, for each model that spoke for it, its card; nothing where it was not
    measured."""
    found = _found(settings, [name])
    if found is None or not found[0].assistants:
        return [], []
    made = report(*found, _today(), "", f"Card of {name}")
    rows = [each.as_dict() for who in found[0].assistants for each in card(found[0], who, found[1])]
    return rows, [_safe(card_html(made, who, Counter(f"card{place}"))) for place, who in enumerate(found[0].assistants)]


def _found(settings: Settings, names: Sequence[str] | None = None) -> Found | None:
    try:
        kept = [run for run in runs(settings.home) if run.responses or run.skipped]
    except IntegrityError:
        kept = []
    if not kept:
        return None
    return latest(kept, names), KeptChecks(settings.home).all()


def _results(settings: Settings) -> tuple[Any, Sequence[str], list[Html]]:
    found = _found(settings)
    rows = figures(*found) if found else []
    document = board(rows, published()).as_dict()
    if found is None or not found[0].assistants:
        return {"rows": [], "leaderboard": document}, (), []
    made, counter = report(*found, _today(), ""), Counter()
    drawn = [glance(made), maps(made, counter), sensitivity(made, counter), leaderboard(made, counter)]
    document = {
        "rows": [each.as_dict() for each in rows],
        "proofs": [each.as_dict() for each in checks_of(*found)],
        "leaderboard": document,
        "notes": list(found[0].notes),
    }
    return document, found[0].assistants, [_safe(each.html) for each in drawn if each]


def _compared(settings: Settings, a: str, b: str) -> tuple[ResultSet, list[Figure], list[Figure]]:
    found = _found(settings, [a, b])
    if found is None or not {a, b} <= set(found[0].assistants):
        raise NotFoundError(f"{a} and {b} have not both been measured", "pluriverse measure shows what there is")
    own = [each for each in figures(*found) if each.assistant in (a, b) and not each.group]
    return found[0], compare(found[0], a, b, found[1]), own


def _rows(
    found: ResultSet, a: str, b: str, differences: Sequence[Figure], own: Sequence[Figure]
) -> list[dict[str, Any]]:
    titles = {each.name: each for each in found.tried}
    values = {(each.instrument, each.metric, each.assistant): each for each in own}
    rows = []
    for each in differences:
        metric = metric_of(titles[each.instrument])
        tests = [remark for remark in each.remarks if isinstance(remark, Tested)]
        rows.append(
            {
                "title": titles[each.instrument].title,
                "metric": metric.replace("_", " "),
                "a": values.get((each.instrument, metric, a)),
                "b": values.get((each.instrument, metric, b)),
                "difference": each,
                "verdict": verdict(tests[0]) if tests else each.note,
            }
        )
    return rows


def _safe(html: Html) -> Any:
    return markup(Html(_STYLED.sub("", html)))


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
