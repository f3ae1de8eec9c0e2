"""Models that think before they answer: on the screen, in files, and switched by flags. On a script that thinks."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Call, Terminal

SCRIPT = """
[[rule]]
thinks = true
replies = ["They ask about lying. Kant forbids it; Mill counts.</think>It depends."]
"""


@pytest.fixture(autouse=True)
def thinker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "thinks.toml"
    script.write_text(SCRIPT)
    monkeypatch.setenv("PLURIVERSE_BASE", f"scripted:{script}")


def reply(call: Call, *words: str) -> dict[str, Any]:
    found = call("ask", "Is lying ever right?", "--with", "duty", "--json", *words)
    assert found.code == 0, found.err
    return found.document["replies"][0]


def test_thinking_is_a_field_of_its_own_and_the_flag_leaves_it_out(call: Call) -> None:
    both = reply(call)
    assert (both["text"], both["thinking"]) == ("It depends.", "They ask about lying. Kant forbids it; Mill counts.")
    bare = reply(call, "--no-think")
    assert (bare["text"], bare["thinking"]) == ("It depends.", None)
    assert bare["completion_tokens"] < both["completion_tokens"]


def test_a_budget_ends_the_thinking_and_leaves_the_answer_whole(call: Call) -> None:
    cut = reply(call, "--think-tokens", "3", "--max-tokens", "20")
    assert cut["text"] == "It depends."
    assert cut["thinking"].startswith("They ask") and "Mill" not in cut["thinking"]
    assert cut["finish_reason"] == "stop"


def test_an_assistant_may_say_for_itself_whether_it_thinks(call: Call, home: Path) -> None:
    assert call("new", "quick", "--system", "You are brief.").code == 0
    file = next(home.rglob("quick.toml"))
    about = "think = false\nthinking_tokens = 64\n"
    text = file.read_text()
    file.write_text(
        text.replace("[generation]\n", f"[generation]\n{about}", 1)
        if "[generation]" in text
        else f"{text}\n[generation]\n{about}"
    )
    found = call("ask", "Is lying ever right?", "--with", "quick", "--json").document["replies"][0]
    assert found["thinking"] is None
    file.write_text(file.read_text().replace("think = false", 'think = "no"'))
    wrong = call("ask", "Why?", "--with", "quick")
    assert wrong.code == 2 and "think must be true or false" in wrong.err


@pytest.mark.parametrize("suffix", [".md", ".html", ".txt"])
def test_files_fold_the_thinking_away(call: Call, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"answers{suffix}"
    assert call("ask", "Is lying ever right?", "--with", "duty", "-o", str(file)).code == 0
    text = file.read_text()
    assert "thought first: 9 words" in text
    assert ("Kant forbids" in text) == (suffix != ".txt")


@pytest.mark.parametrize("width", [60, 150])
def test_the_screen_tells_how_much_was_thought(terminal: type[Terminal], width: int) -> None:
    shown = terminal("ask", "Is lying ever right?", "--with", "duty,outcomes", width=width)
    assert shown.end() == 0
    assert "It depends." in shown.screen and "Kant forbids" not in shown.screen
    assert "thought first: 9 words" in shown.screen
