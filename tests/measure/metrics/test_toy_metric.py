"""A metric of another package, as CONTRIBUTING tells to write one: one object, one entry point.

The package lies in a folder of the path as pip lays it out. Each step runs in a Python of its own, as a user's would.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOY = '''
"""How many texts shout."""

from pluriverse.measure.metrics.cells import rate
from pluriverse.measure.schema.metric import FigureKind, Metric
from pluriverse.measure.schema.responses import by_assistant, by_item


def shouting(instrument, responses):
    return [
        rate(instrument, assistant, "shouting", {item: [row.text.endswith("!") for row in cells]
                                                 for item, cells in by_item(rows).items()})
        for assistant, rows in by_assistant(responses).items()
    ]


def shouting_values(instrument, responses):
    return {
        assistant: {row.item: float(row.text.endswith("!")) for row in rows}
        for assistant, rows in by_assistant(responses).items()
    }


SHOUTING = Metric(
    "shouting", shouting, shouting_values,
    (FigureKind("shouting", "loudness of answers", "Share of texts that shout.", even=("as loud as people", 0.25)),),
    direction="sides",
)
EITHER = Metric("either", shouting, shouting_values, SHOUTING.yields, main="shouting")
WRONG = "no metric"
NO_COMMA = Metric("no_comma", shouting, shouting_values, (FigureKind("no_comma", "no comma")))
'''
DOORS = """[pluriverse.metrics]
shouting = toy_metric:SHOUTING
either = toy_metric:EITHER
wrong = toy_metric:WRONG
other = toy_metric:EITHER
no_comma = toy_metric:NO_COMMA
missing = toy_metric:MISSING
mc2 = toy_metric:SHOUTING
"""
SCRIPT = """
[[rule]]
system = "loud"
replies = ["It rains!"]
[[rule]]
replies = ["It rains."]
"""
# Loud against quiet, and the other way round, by a metric whose sides have a meaning and by one whose sides have none.
STEP = """
import asyncio, json, sys
from pathlib import Path
from pluriverse.assistant import Assistant
from pluriverse.errors import PluriverseError
from pluriverse.measure.measuring import MeasureOptions, measure
from pluriverse.measure.results.assemble import card, figures
from pluriverse.measure.results.compare import compare
from pluriverse.measure.results.for_report import report
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.run.record import runs
from pluriverse.measure.schema.instrument import Instrument, Opposites
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.metric import metric
from pluriverse.report.page import render
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

home, script, wanted = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
settings = Settings(home=home, base=script, offline=True)


def instrument(name):
    of, _, order = name.partition("-")
    a, b = ("You are loud.", "You are calm.") if order != "backward" else ("You are calm.", "You are loud.")
    return Instrument(
        name, f"Weather, {name}", "language", "1", "by hand", (), ("en",), "CC0-1.0", "us", (of,), "It rains.",
        opposites=Opposites(a, b, systems=True),
    )


async def measured(chosen):
    items = [Item(str(n), f"What is the weather on day {n}?", "chat") for n in range(24)]
    who = [Assistant("town", system="You are loud too."), Assistant("village", system="You whisper.")]
    async with Workspace(settings) as workspace:
        options = MeasureOptions(limit=None)
        async for event in measure(workspace, chosen, who, options, {each.name: items for each in chosen}):
            last = event
    return {each.instrument: each.passed for each in last.checks}


out = {}
try:
    if wanted != ["kept"]:
        out["checks"] = asyncio.run(measured([instrument(name) for name in wanted]))
    found = latest(runs(home))
    out["figures"] = [each.as_dict() for each in figures(found, [])]
    out["card"] = [each.as_dict() for each in card(found, "town", [])]
    out["compare"] = [each.as_dict() for each in compare(found, "town", "village", [])]
    out["page"] = render(report(found, [], "2026-01-01", ""))
    out["ours"] = metric("mc2").name
except PluriverseError as error:
    out["error"] = [type(error).__name__, error.message, error.hint]
print(json.dumps(out))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the package, as pip installs it."""
    folder = tmp_path / "site"
    about = folder / "toy_metric-1.dist-info"
    about.mkdir(parents=True)
    (folder / "toy_metric.py").write_text(TOY, "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-metric\nVersion: 1\n", "utf-8")
    (about / "entry_points.txt").write_text(DOORS, "utf-8")
    (tmp_path / "script.toml").write_text(SCRIPT, "utf-8")
    return folder


def step(site: Path, wanted: str, installed: bool = True) -> dict[str, Any]:
    """What a Python with (or without) the package makes of these instruments; `kept`: of the runs that are there."""
    path = os.pathsep.join([*([str(site)] if installed else []), *filter(None, [os.environ.get("PYTHONPATH")])])
    script = f"scripted:{site.parent / 'script.toml'}"
    done = subprocess.run(
        [sys.executable, "-c", STEP, str(site.parent / "home"), script, wanted],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_metric_of_another_package_is_measured_checked_shown_and_outlives_its_package(site: Path) -> None:
    done = step(site, "shouting-forward,shouting-backward,either-backward")
    assert done["checks"] == {"shouting-forward": True, "shouting-backward": False, "either-backward": True}
    shown = {(each["instrument"], each["metric"], each["assistant"]): each["value"] for each in done["figures"]}
    assert shown["shouting-forward", "shouting", "town"] == 1 and shown["shouting-forward", "shouting", "village"] == 0
    (figure_of,) = (each for each in done["compare"] if each["instrument"] == "shouting-forward")
    assert figure_of["value"] == 1 and figure_of["note"].startswith("told apart")
    assert "Weather, shouting-forward: loudness of answers" in done["page"]
    assert "Share of texts that shout." in done["page"] and "as loud as people 0.25" in done["page"]
    assert done["ours"] == "mc2", "a name of ours stays ours"

    without = step(site, "kept", installed=False)
    (row,) = (each for each in without["card"] if each["instrument"] == "shouting-forward")
    assert (row["metric"], row["value"], row["n"]) == ("shouting", None, 24)
    assert row["note"].startswith("there is no metric named shouting")
    assert "shouting" in without["page"] and "loudness" not in without["page"]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("whispering", "NotFoundError", "there is no metric named whispering"),
        ("wrong", "PluriverseError", "what an installed package brings as the metric wrong is of type str"),
        ("other", "PluriverseError", "what an installed package brings as the metric other is named 'either'"),
        ("no_comma", "PluriverseError", "what an installed package brings as the metric no_comma is without a tuple"),
        ("missing", "PluriverseError", "missing of the package toy-metric cannot be loaded"),
    ],
)
def test_nobody_is_asked_for_a_metric_that_is_none(site: Path, name: str, kind: str, words: str) -> None:
    error = step(site, name)["error"]
    assert error[0] == kind and error[1].startswith(words) and error[2]
    assert not (site.parent / "home" / "runs").exists()
