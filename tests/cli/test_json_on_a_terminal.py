"""JSON that a terminal shows holds nothing raw that could act on it, and is the same document."""

import json

import pytest

from pluriverse.cli.terminal.text import escaped

from .conftest import Terminal

BAD = "a\x9b31mb\u202ec\u2066d\u200be\U000e0041f\u061cg\ufeffh\x7fi\u2028j"


def test_escaped_it_is_the_same_document() -> None:
    fine = "déjà vu, 日本語, می\u200cخواهم, 👩\u200d👩, ❤️"
    text = json.dumps({"name": BAD, "fine": fine}, ensure_ascii=False)
    assert json.loads(escaped(text)) == {"name": BAD, "fine": fine}
    assert fine in escaped(text), "what only looks unusual is left alone"
    for code in (*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE0080), 0x200B):
        assert chr(code) not in escaped(text + chr(code))


@pytest.mark.parametrize("flags", [("--json",), ("--json", "--debug")])
def test_on_a_terminal(terminal: type[Terminal], flags: tuple[str, ...]) -> None:
    shown = terminal("ask", BAD, "--with", "duty", "--base", "scripted", "--max-tokens", "4", *flags, width=200)
    assert shown.end() == 0
    assert not set(shown.screen) & set("\x9b\x7f\u202e\u2066\u200b\U000e0041\u061c\ufeff\u2028")
    document = json.loads(shown.screen[shown.screen.index("{") : shown.screen.rindex("}") + 1])
    assert document["question"] == BAD
