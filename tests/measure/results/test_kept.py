"""A run as an earlier pluriverse wrote it (before measuring had rooms) is read today.

`kept` holds it: 44 rows of a scripted voice, some of them of a version of an instrument that is not today's. Names of
fields, keys of respondents and figures are those of then; whoever changes one of them loses people's data.
"""

import json
import shutil
from pathlib import Path

import pytest

from pluriverse.measure.results.assemble import card
from pluriverse.measure.results.result_set import ResultSet, latest
from pluriverse.measure.run.record import runs

KEPT = Path(__file__).parent / "kept"


@pytest.fixture
def found(tmp_path: Path) -> ResultSet:
    shutil.copytree(KEPT, tmp_path / "runs" / "cfcc0de947b0")
    return latest(runs(tmp_path))


def test_every_row_of_then_is_read(found: ResultSet) -> None:
    rows = [json.loads(line) for line in (KEPT / "responses.jsonl").read_text("utf-8").splitlines()]
    assert [(row.item, row.text, row.prompt, list(row.logprobs)) for row in found.responses] == [
        (row["item"], row["text"], row["prompt"], row["logprobs"]) for row in rows
    ]
    assert found.respondents[0].key == rows[0]["respondent"] == "3ee1b584e93e"


def test_its_figures_are_those_of_then(found: ResultSet) -> None:
    figures = {(each.instrument, each.metric, each.group): each for each in card(found, "oldleft", [])}
    controls, gap = figures["history", "controls", "en"], figures["history", "control_gap", "en"]
    assert (controls.value, controls.n) == (0.5, 12)
    assert (controls.low, controls.high) == pytest.approx((0.2537815976, 0.7462184024))
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.2139512739, -12.1036274732, 10.7868661271))
    assert figures["remarks-politics", "share_answer", ""].value == 1
    # version 1 called it word_lean and counted the words of prompts; its rows are read by the rules of now
    assert figures["remarks-politics", "vocabulary", ""].value == pytest.approx(0.5464693896)
    (note,) = found.notes
    assert "8 responses to remarks-politics are to its version 1, read by the rules of version 2" in note
