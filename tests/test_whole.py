"""From the key press to the real model: the default model, the real engine, the real command, and no network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .patience import PATIENCE_S

pytestmark = pytest.mark.model

# Anything that looks up a host or connects ends the process with a code of its own.
_GUARDED = """
import sys
def guard(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname") or (event == "socket.connect" and arguments[1]):
        import os; os.write(2, f"{event} {arguments}".encode()); os._exit(99)
sys.addaudithook(guard)
from pluriverse.cli import main
sys.exit(main(sys.argv[1:]))
"""


def pluriverse(home: Path, *words: str, code: int = 0) -> dict[str, object]:
    """The command in a process that may not connect, in an empty network namespace where one can be made."""
    command = [sys.executable, "-c", _GUARDED, *words, "--json"]
    isolated = ["unshare", "--net", "--map-root-user", "--user"]
    if shutil.which("unshare") and subprocess.run([*isolated, "true"], capture_output=True).returncode == 0:
        command = [*isolated, *command]
    environment = os.environ | {"PLURIVERSE_HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE_S)
    assert done.returncode == code, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_the_starter_panel_answers_without_a_network(model_home: Path) -> None:
    words = ("ask", "What is a fair society?", "--max-tokens", "12", "--temperature", "0")
    replies = pluriverse(model_home, *words)["replies"]
    assert isinstance(replies, list) and len(replies) == 6
    assert len({reply["text"] for reply in replies}) >= 5
    for reply in replies:
        assert reply["digest"].endswith("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
        assert reply["finish_reason"] in {"stop", "length"} and 0 < reply["first_token_s"] <= reply["total_s"]
    alone = pluriverse(model_home, *words, "--with", "duty")["replies"]
    assert isinstance(alone, list)
    assert alone[0]["text"] == next(reply["text"] for reply in replies if reply["assistant"] == "duty")


def test_everything_but_pull_works_without_a_network(model_home: Path) -> None:
    pluriverse(model_home, "ls")
    assert pluriverse(model_home, "verify")["bad"] == []
    pluriverse(model_home, "show", "smollm2-135m-instruct")
    pluriverse(model_home, "catalogue")


def test_languages_are_answered_in(model_home: Path) -> None:
    """A 135M model may drift; but the prompts reach it, in their own language."""
    replies = pluriverse(model_home, "ask", "¿Qué es la justicia?", "--panel", "languages", "--max-tokens", "8")[
        "replies"
    ]
    assert isinstance(replies, list) and [reply["assistant"] for reply in replies] == ["hispanohablante", "francophone"]
