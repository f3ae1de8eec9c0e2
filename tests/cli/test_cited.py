"""What voices with works look like: numbers, places and passages on every way out."""

from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant
from pluriverse.cli.terminal.cited import Colouring
from pluriverse.cli.terminal.output import Styled
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..works.given import give
from .conftest import Call, Terminal

TEXT = """\
# Of society

Society is a contract between those who live and those who are to be born. No man may tear it up for a whim of his own.
"""
QUESTION = "Is society a contract?"
QUOTED = "“Society is a contract between those who live and those who are to be born.”"
SOURCE = "[1] Reflections, Of society, 1"


@pytest.fixture(autouse=True)
def voice(home: Path) -> Assistant:
    """One that answers from a work, and the name of which is burke."""
    work = give(Workspace(Settings(home=home)), "reflections", TEXT)
    burke = Assistant("burke", "Old Whig", works=(work,))
    file = home / "assistants" / "burke.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(burke.to_toml(), "utf-8")
    return burke


def test_quotations_have_numbers_and_below_them_where_they_stand(call: Call) -> None:
    result = call("ask", QUESTION, "--with", "burke")
    assert result.out.startswith(f"burke (from 1 work)\n-------------------\n{QUOTED} [1] ")
    assert f"\n{SOURCE}\n" in result.out


def test_passages_are_shown_in_full_where_they_are_asked_for(call: Call) -> None:
    passage = "burke [1]  Reflections, Of society, 1\nSociety is a contract"
    assert passage in call("ask", QUESTION, "--with", "burke", "--passages").out
    assert passage not in call("ask", QUESTION, "--with", "burke").out


def test_json_has_citations_and_nothing_else_on_stdout(call: Call) -> None:
    (reply,) = call("ask", QUESTION, "--with", "burke", "--json", "--passages").document["replies"]
    (citation,) = reply["citations"]
    assert set(citation) >= {"n", "work", "place", "passage", "quotes", "score"}
    assert citation["quotes"][0] == QUOTED[1:-1] and not reply["declined"]
    assert reply["words_alone"] == "offline"


@pytest.mark.parametrize("form", ["md", "html", "txt"])
def test_files_have_them_too(call: Call, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"answers.{form}"
    assert call("ask", QUESTION, "--with", "burke", "-o", str(file)).code == 0
    text = file.read_text("utf-8")
    assert f"{QUOTED} [1]" in text and SOURCE in text
    assert (form == "txt") != ("<details>" in text)


def test_the_history_keeps_and_shows_them(call: Call) -> None:
    kept = call("ask", QUESTION, "--with", "burke", "--json").document["id"]
    shown = call("history", "show", kept)
    assert " ".join(f"{QUOTED} [1]".split()) in " ".join(shown.out.split()) and SOURCE in shown.out
    turns = call("history", "show", kept, "--json").document["turns"]
    assert turns[1]["record"]["citations"][0]["n"] == 1


def test_where_the_works_do_not_speak_of_it_the_voice_says_so(call: Call) -> None:
    result = call("ask", "Which telephone takes good photographs?", "--with", "burke")
    assert result.code == 0 and "My works do not speak of this." in result.out
    beyond = call("ask", "Which telephone takes good photographs?", "--with", "burke", "--beyond-works", "--json")
    assert beyond.document["replies"][0]["beyond_works"]
    plain = call("ask", "Which telephone takes good photographs?", "--with", "burke", "--beyond-works")
    assert plain.out.startswith("burke (from 1 work, beyond its works)\n")


def test_that_words_alone_found_it_is_said(call: Call) -> None:
    assert "words alone" in call("ask", QUESTION, "--with", "burke").err


def test_a_chat_shows_the_passages_of_the_last_reply(call: Call) -> None:
    result = call("chat", "burke", stdin=f"{QUESTION}\n/passages\n")
    assert f"{QUOTED} [1]" in result.out and SOURCE in result.out
    assert "No man may tear it up" in result.out + result.err


@pytest.mark.parametrize("width", [60, 120])
def test_on_a_terminal_quotations_have_a_colour(
    terminal: type[Terminal], voice: Assistant, home: Path, width: int
) -> None:
    other = replace(voice, name="paine")
    (home / "assistants" / "paine.toml").write_text(other.to_toml(), "utf-8")
    ask = terminal("ask", QUESTION, "--with", "burke,paine", width=width)
    assert ask.end() == 0
    assert "\x1b[36m“Society" in ask.screen and "from 1 work" in ask.screen
    assert "[1] Reflections, Of society, 1" in ask.screen


def test_colour_goes_on_over_lines_and_ends_with_the_quotation() -> None:
    colouring = Colouring()
    assert colouring.line("He says “one") == ["He says ", Styled("“one", "cyan")]
    assert colouring.line("two” and") == [Styled("two”", "cyan"), " and"]
    assert colouring.line('no "x" more') == ["no ", Styled('"x"', "cyan"), " more"]
