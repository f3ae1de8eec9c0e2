"""What is decided is decided on fields: with every sentence and label changed, all figures and verdicts stay."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

WORDS = {"note", "notes", "words", "why", "message", "hint", "advice", "lowered", "broken", "rule_words", "about"}
OF_THE_DAY = {"items_per_s", "seconds", "speed"}  # and of the machine
_ATTRIBUTES = re.compile(r'\b(id|class|href|cx|cy|r|rx|ry|x1|x2|y1|y2|width|scope)="([^"]*)"')
_CELLS = re.compile(r"<t[dh][^>]*>(?:<strong>)?([−\d.,%–][^<]*)")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The same life in the same folder, once in the usual words and once in others, in processes of their own."""
    place = tmp_path_factory.mktemp("words")
    found = []
    for name in ("usual", "other"):
        home, out = place / "home", place / f"{name}.json"
        subprocess.run([sys.executable, "-m", "tests.everything", str(home), str(out), name], check=True)
        home.rename(place / f"home-{name}")
        found.append(json.loads(out.read_text("utf-8")))
    return found


def decided(found: Any) -> Any:
    """A document without its words; a group or a judge may be named by some. Runs of one second have no order."""
    if isinstance(found, dict):
        found = {**found, "runs": sorted(found["runs"])} if isinstance(found.get("runs"), list) else found
        return {key: decided(each) for key, each in found.items() if key not in WORDS | OF_THE_DAY}
    if isinstance(found, list):
        return [decided(each) for each in found]
    return usual_words(found) if isinstance(found, str) else found


def usual_words(text: str) -> str:
    return " ".join(re.sub(r"~(\w+\.\d+)?~?", " ", text).split())


def drawn(page: str) -> Any:
    """A page's numbers and shapes, without its words: what stands in cells, and where dots, bars and ellipses are."""
    plots = [each for each in re.findall(r"<(?:circle|ellipse|rect|line)[^>]*>", page) if 'class="leader"' not in each]
    return (
        [_ATTRIBUTES.findall(each) for each in plots if "reference" not in each],
        list(map(usual_words, _CELLS.findall(page))),
        re.findall(r'<(?:section|table|figure|article|h[1-4])\b[^>]*?(?: id="([^"]*)")?', page),
        page.count("<li>"),
    )


def test_every_command_ends_alike(both: list[dict[str, Any]]) -> None:
    usual, other = both
    assert {name: each["code"] for name, each in usual.items()} == {name: each["code"] for name, each in other.items()}


def test_every_document_says_the_same(both: list[dict[str, Any]]) -> None:
    usual, other = both
    documents = [name for name, each in usual.items() if each["out"].startswith("{")]
    assert len(documents) > 20
    for name in documents:
        assert decided(json.loads(other[name]["out"])) == decided(json.loads(usual[name]["out"])), name


def test_every_page_draws_the_same(both: list[dict[str, Any]]) -> None:
    usual, other = both
    pages = [name for name, each in usual.items() if each["page"]]
    assert len(pages) > 4
    for name in pages:
        assert drawn(other[name]["page"]) == drawn(usual[name]["page"]), name


def test_tables_on_the_terminal_have_the_same_numbers(both: list[dict[str, Any]]) -> None:
    usual, other = both
    for name, each in usual.items():
        if not each["out"].startswith("{"):
            assert _numbers(other[name]["out"]) == _numbers(each["out"]), name


def _numbers(out: str) -> list[str]:
    return re.findall(r"[+-]?\d\.\d{2,}(?: to [+-]?\d\.\d{2,})?", usual_words(out))


def test_all_kinds_of_reasons_were_met(both: list[dict[str, Any]]) -> None:
    """The life that is compared has them: else the comparison would say little."""
    rows = [
        row
        for each in both[0].values()
        if each["out"].startswith("{")
        for row in json.loads(each["out"]).get("rows", [])
    ]
    withheld = {row["withheld"]["kind"] for row in rows if row.get("withheld")}
    remarks = {remark["kind"] for row in rows for remark in row.get("remarks", ())}
    assert withheld >= {"not_passed", "not_asked", "too_few", "not_measurable", "poor_judges", "same_weights"}
    assert remarks >= {"unfinished", "not_checked", "few_items", "without", "recites", "judged", "tested", "no_control"}
    assert {row.get("corrected_by") for row in rows} >= {None, "rules", "rules and judges"}


def test_all_sentences_were_others(both: list[dict[str, Any]]) -> None:
    notes = [[row["note"] for row in json.loads(each["card duty --json"]["out"])["rows"]] for each in both]
    told = [(usual, other) for usual, other in zip(*notes, strict=True) if " " in usual]
    assert told and all("~" in other and other != usual for usual, other in told)
    (page,) = (both[1][name]["page"] for name in ("card duty --html HOME/page.html --json",))
    assert "~over-refusal~" in page, "a label"
