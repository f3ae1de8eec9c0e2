"""Every metric of ours as an object: it says of all its figures what they are, and no two say different things."""

import shutil
from pathlib import Path

import pytest

from pluriverse import doors
from pluriverse.measure.data.instruments import known
from pluriverse.measure.judges.correction import RULES
from pluriverse.measure.results.assemble import figures
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.results.steering import KINDS
from pluriverse.measure.run.record import runs
from pluriverse.measure.schema.metric import FigureKind, kind_of, metric

from ..handmade import propositions, recorded, requests, respondent, scored, sums, surveys, written

OURS = [name for name in doors.names("metrics") if metric(name).figures.__module__.startswith("pluriverse.")]
KEPT = Path(__file__).parent.parent / "results" / "kept"
# Their values are of single pairs, which no figure is the mean of.
WITHOUT_MAIN_FIGURE = {"reading", "choice"}


def test_every_measure_of_an_instrument_is_a_metric_that_some_instrument_has() -> None:
    assert {name for each in known().values() for name in each.measures} | {"exact_match"} == set(OURS)
    assert {each.labelled for each in known().values()} == {"", *RULES} - {"pct"}, "pct has sides, and no refusals"


@pytest.mark.parametrize("name", OURS)
def test_a_metric_is_whole(name: str) -> None:
    each = metric(name)
    assert (each.main_figure in {kind.name for kind in each.yields}) != (name in WITHOUT_MAIN_FIGURE)
    assert each.unit in {0.5, 1.0}
    for kind in each.yields:
        assert kind_of(kind.name) == kind, "two metrics with a figure of one name say the same of it"
        words(kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_figures_of_steering_are_said_too(kind: FigureKind) -> None:
    assert kind_of(kind.name) is None
    words(kind)


def words(kind: FigureKind) -> None:
    """What people read is a name and whole sentences; a line lies on the scale."""
    assert kind.title[0].islower() or kind.title.split()[0] in {"Overton", "StrongREJECT"}
    assert kind.share_of or (kind.about.endswith(".") and "_" not in kind.about)
    assert not (kind.even and kind.scale) or kind.scale[0] <= kind.even[1] <= kind.scale[1]


def test_every_figure_that_comes_is_of_a_kind(tmp_path: Path) -> None:
    one, other = respondent("a"), respondent("b")
    rows = [
        row
        for who, chance in ((one, 0.8), (other, 0.3))
        for row in [
            *scored(who, "xcopa", sums(), [chance] * 24),
            *scored(who, "propositions-forced", propositions(), [chance] * 24),
            *scored(who, "globalopinionqa", surveys(), [chance] * 24),
            *written(who, "xstest", requests(), ["answer", "refusal"] * 12),
        ]
    ]
    recorded(tmp_path, rows, [one, other], "2026-01-01")
    shutil.copytree(KEPT, tmp_path / "runs" / "cfcc0de947b0")
    shown = figures(latest(runs(tmp_path)), [])
    steering = {each.name for each in KINDS}
    names = {each.metric.removesuffix("_corrected") for each in shown} - steering
    assert len(names) > 20 and all(map(kind_of, names))
