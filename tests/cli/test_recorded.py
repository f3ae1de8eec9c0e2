"""The command under "To make this report again" makes it again: every option that changes what is shown, quoted."""

import html
import re
import shlex
from pathlib import Path

import pytest

from pluriverse.cli.terminal.typed import typed

from .conftest import Call


def commands(page: str) -> list[list[str]]:
    """What is recorded on a page, as a shell would split it."""
    found = re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)
    assert found
    return [shlex.split(html.unescape(line))[1:] for line in found[1].splitlines()]


@pytest.mark.parametrize(
    ("who", "more"),
    [
        (("--panel", "starter"), ("--seed", "3", "--no-proof")),
        (("--with", "progressive,conservative"), ("--blind-too",)),
        ((), ()),
    ],
)
def test_a_recorded_command_makes_the_same_report(
    call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: tuple[str, ...], more: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "a script; with 'quotes'.toml"
    script.write_text('[[rule]]\nreplies = ["I agree.", "I do not."]\n', "utf-8")
    words = ("measure", "propositions-free", *who, "--base", f"scripted:{script}", "--limit", "4", *more)
    assert call(*words).code == 0
    assert call("report", "-o", "it's my report.html", "--base", f"scripted:{script}").code == 0
    first = Path("it's my report.html").read_text("utf-8")
    home.rename(tmp_path / "before")
    for each in commands(first):
        told = call(*each)
        assert told.code == 0, (each, told.err)
    assert Path("it's my report.html").read_text("utf-8") == first


def test_a_card_is_made_again_too(call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("measure", "propositions-free", "--with", "progressive", "--limit", "4", "--no-proof")
    for base in ("scripted", "scripted:demo"):
        assert call(*asked, "--base", base).code == 0
    assert call("card", "progressive", "--base", "scripted:demo", "--html", "my card.html").code == 0
    first = Path("my card.html").read_text("utf-8")
    Path("my card.html").unlink()
    assert call(*commands(first)[-1]).code == 0
    assert Path("my card.html").read_text("utf-8") == first


def test_all_items_and_until_are_said_as_they_are_typed(call: Call, home: Path) -> None:
    words = ("measure", "propositions-free", "--with", "progressive", "--all-items", "--until", "0.4", "--no-proof")
    assert call(*words).code == 0
    (run,) = call("report", "--runs", "--json").document["runs"]
    assert run["command"] == (
        "pluriverse measure propositions-free --with progressive --all-items --until 0.4 --no-proof"
    )


def test_words_are_quoted_for_a_shell() -> None:
    told = typed("card", "a b", options=(("--base", "it's"), ("-x", True), ("-y", None), ("--seed", -1)))
    assert told == "pluriverse card 'a b' --base 'it'\"'\"'s' -x --seed=-1"
    assert shlex.split(told) == ["pluriverse", "card", "a b", "--base", "it's", "-x", "--seed=-1"]
