"""What pluriverse keeps beside definitions may have been cut or edited: it is told or left out, never waited for."""

import os
from pathlib import Path

import pytest

from pluriverse.assistant.strengths import Strengths
from pluriverse.cli import main
from pluriverse.errors import PluriverseError

BAD = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "cut": b'{"a',
    "deep list": b"[" * 200_000,
    "deep table": b'{"a":' * 100_000,
    "digits": b"9" * 5000,
    "not UTF-8": b"\xff",
    "other keys": b'{"a": 1}',
    "no object": b'{"a": null}',
    "wrong types": b'{"a": {"assistant": 1, "strength": "x", "declared": null, "why": []}}',
}
KEPT = ("strengths.json", "copies.json", "engine/calibration.json", "engine/choice.json", "cache/assistants.json")


@pytest.mark.parametrize("place", [*KEPT, "store/index.json"])
@pytest.mark.parametrize("what", [*BAD, "a folder", "a pipe", "a circle"])
def test_commands_end_in_words(
    place: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLURIVERSE_BASE", "scripted")
    path = tmp_path / "home" / place
    path.parent.mkdir(parents=True)
    if what in BAD:
        path.write_bytes(BAD[what])
    elif what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name)
    told = place == "store/index.json"
    for words in (["ls"], ["show", "duty"], ["engine", "status"]):
        assert main(words) == 0 or told, words
    assert "unexpected" not in capsys.readouterr().err


@pytest.mark.parametrize("strength", ['"x"', "null", "[]", "NaN", "-1", "1e99", "true, 1"])
def test_a_strength_that_is_none_is_told(strength: str, tmp_path: Path) -> None:
    path = tmp_path / "strengths.json"
    path.write_text(f'{{"key": {{"assistant": "ada", "strength": {strength}, "declared": 2, "why": ""}}}}')
    with pytest.raises(PluriverseError, match="strengths"):
        Strengths(path).all()
