"""An engine that another package brings: installed, asked, measured, told for what it is, and held to the contract.

The package is `toy/`: a module beside its `dist-info`, as pip would leave it. Each test is a process of its own, with
that folder on the path, for what is installed is read once.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from .. import forked

TOY = Path(__file__).parent / "toy"


@pytest.fixture
def python(tmp_path: Path) -> Any:
    def run(*words: str, toy: bool = True, **more: str) -> Any:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PLURIVERSE_")}
        path = {"PYTHONPATH": str(TOY)} if toy else {}
        own |= {"PLURIVERSE_HOME": str(tmp_path / "home"), "PLURIVERSE_OFFLINE": "1", **path, **more}
        return forked.run(*words[1:], module=words[0], environment=own)

    return run


@pytest.fixture
def pluriverse(python: Any) -> Any:
    def run(*words: str, code: int = 0, **more: Any) -> Any:
        done = python("pluriverse", *words, **more)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr

    return run


def test_it_is_asked_by_its_kind_and_whatever_it_understands(pluriverse: Any) -> None:
    words = ("--with", "duty", "--base", "toy:one", "--guidance", "0", "--temperature", "0", "--json")
    (reply,) = pluriverse("ask", "Who are you?", *words)["replies"]
    assert reply["base"] == "toy:one" and reply["digest"] is None
    assert reply["text"].strip().endswith("Who are you?")


def test_it_is_measured_and_its_rows_say_that_its_weights_are_unknown(pluriverse: Any, tmp_path: Path) -> None:
    pluriverse("new", "parrot", "--system", "Say it back.")
    pluriverse("new", "mocker", "--system", "Laugh about it.")
    names = "parrot,mocker"
    measured = pluriverse(
        *("measure", "remarks-politics", "--with", names, "--base", "toy:one"),
        *("--limit", "8", "--no-proof", "--json"),
    )
    (place,) = (tmp_path / "home" / "runs").glob("*/run.json")
    kept = json.loads(place.read_text())["respondents"]
    assert measured["rows"] and {each["engine"] for each in kept} == {"toy toy-engine 1.0 longest=1000"}
    assert [each["identity"]["kind"] for each in kept] == ["toy"] * 2
    assert all(each["identity"]["may_change"] and each["weights"] is None for each in kept)

    assert "toy:one: weights unknown, may change" in pluriverse("card", "parrot")
    assert pluriverse("card", "parrot", "--json")["may_change"] == ["parrot"]
    assert "toy:one: weights unknown, may change" in pluriverse("compare", "parrot", "mocker")
    pluriverse("report", "-o", str(tmp_path / "report.html"))
    pages = (tmp_path / "report.html").read_text()
    pluriverse("card", "parrot", "--html", str(tmp_path / "card.html"))
    pages += (tmp_path / "card.html").read_text()
    assert pages.count("unknown, may change") >= 2

    again = pluriverse(
        *("measure", "remarks-politics", "--with", names, "--base", "toy:two"),
        *("--limit", "8", "--no-proof", "--json"),
    )
    assert again["run"] != measured["run"], "another name, another respondent"


def test_an_assistant_on_it_is_listed_with_what_nobody_knows(pluriverse: Any) -> None:
    pluriverse("new", "parrot", "--base", "toy:one", "--system", "Say it back.")
    assert "toy:one: weights unknown, may change" in pluriverse("ls")
    listed = {each["name"]: each for each in pluriverse("ls", "--json")["assistants"]}
    assert listed["parrot"]["may_change"] and listed["parrot"]["base_here"]
    assert not any(each["may_change"] for name, each in listed.items() if name != "parrot")
    assert "unknown, may change" in pluriverse("show", "parrot")


def test_what_to_type_is_told_where_it_cannot_guide_or_is_not_named_whole(pluriverse: Any) -> None:
    def hint(*words: str) -> str:
        return str(pluriverse(*words, "--json", code=1)["error"]["hint"])

    way_out = hint("measure", "remarks-politics", "--with", "duty", "--base", "toy:one", "--no-proof")
    assert "--guidance 0" in way_out and "pluriverse new" in way_out, "`measure` has no such option"
    assert hint("ask", "x", "--with", "duty", "--base", "toy") == "toy is a kind of engine: write toy:NAME"


def test_without_the_package_its_bases_are_unknown(pluriverse: Any) -> None:
    error = pluriverse("ask", "x", "--with", "duty", "--base", "toy:one", "--json", code=1, toy=False)["error"]
    assert error["kind"] == "not_found" and "toy:one" in error["message"]


def test_it_passes_the_contract_suite(python: Any) -> None:
    suite = "tests/engines/test_contract.py"
    done = python("pytest", suite, "-vv", "-p", "no:cacheprovider", PLURIVERSE_TEST_BASES="toy:one")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "toy:one] PASSED" in done.stdout
