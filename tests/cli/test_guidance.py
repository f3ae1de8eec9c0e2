"""Guidance and `panel check` on the command line: never hidden, refused in words, exact codes."""

from pathlib import Path

import pytest

from .conftest import Call


def test_a_reply_says_that_it_is_guided(call: Call) -> None:
    document = call("ask", "What is fair?", "--with", "progressive,conservative", "--json").document
    said = [reply["guidance"] for reply in document["replies"]]
    assert [each["against"] for each in said] == ["conservative", "progressive"]
    assert all(each["strength"] > 0 for each in said)
    shown = call("ask", "What is fair?", "--with", "progressive,conservative")
    assert "guided" in shown.out and "against conservative" in shown.out


def test_guidance_is_changed_or_switched_off_for_all(call: Call) -> None:
    off = call("ask", "What is fair?", "--guidance", "0", "--json").document
    assert all(reply["guidance"] is None for reply in off["replies"])
    on = call("ask", "What is fair?", "--guidance", "1.5", "--json").document
    assert {reply["guidance"]["strength"] for reply in on["replies"]} == {1.5}


@pytest.mark.parametrize("strength", ["-1", "6", "nan", "much"])
def test_a_strength_that_cannot_be_is_wrong_use(call: Call, strength: str) -> None:
    result = call("ask", "What is fair?", f"--guidance={strength}")
    assert result.code == 2 and "guidance" in result.err.lower() + "strength"


def test_show_tells_it(call: Call) -> None:
    assert call("show", "conservative", "--json").document["guidance"]["against"] == "counterpart"
    assert "guid" in call("show", "conservative").out


def test_new_writes_a_guided_pair(call: Call) -> None:
    assert call("new", "left", "--system", "You are left.", "--counterpart", "right", "--guidance", "1").code == 0
    missing = call("ask", "What is fair?", "--with", "left")
    assert missing.code == 1 and "right" in missing.err and "pluriverse new right" in missing.err
    assert call("new", "right", "--system", "You are right.", "--counterpart", "left").code == 0
    reply = call("ask", "What is fair?", "--with", "left", "--json").document["replies"][0]
    assert (reply["guidance"]["against"], reply["guidance"]["strength"]) == ("right", 1.0)


def test_an_engine_that_cannot_guide_says_so(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "mute.toml"
    script.write_text('guidance = false\n[[rule]]\nreplies = ["words"]\n')
    monkeypatch.setenv("PLURIVERSE_BASE", f"scripted:{script}")
    refused = call("ask", "What is fair?", "--with", "duty")
    assert refused.code == 1 and "cannot guide" in refused.err and "--guidance 0" in refused.err
    assert call("ask", "What is fair?", "--with", "duty", "--guidance", "0").code == 0


def test_panel_check_ends_with_a_verdict(call: Call) -> None:
    shown = call("panel", "check", "politics", "--questions", "4", "--no-facts")
    document = call("panel", "check", "politics", "--questions", "4", "--no-facts", "--json").document
    assert shown.code == (0 if document["plural"] else 1)
    assert "progressive / conservative" in shown.out and "plural: " in shown.out
    assert next((pair["a"], pair["b"]) for pair in document["pairs"]) == ("progressive", "conservative")


def test_panel_check_refuses_in_words(call: Call) -> None:
    assert call("panel", "check", "nobody").code == 1
    assert call("panel", "check", "--with", "duty").code == 2
    assert call("panel", "check", "--questions", "2").code == 2
    assert "panel check" in call("panel", "check", "--help").out


def test_new_checks_in_short(call: Call) -> None:
    made = call("new", "sailor", "--system", "You are a sailor.", "--check", "--json")
    assert made.code == 0 and len(made.document["check"]["questions"]) == 8


def test_a_kept_chat_says_who_was_guided(call: Call) -> None:
    assert call("chat", "duty", stdin="What is fair?\n").code == 0
    talk = call("history", "--json").document["conversations"][0]["id"]
    assert "against outcomes" in call("history", "export", talk).out
    assert "against outcomes" in call("history", "show", talk).out
