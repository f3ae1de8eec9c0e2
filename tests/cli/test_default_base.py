"""Which model speaks, in one line, before anything is fetched."""

from typing import Any

import pytest

from pluriverse.assistant.default_base import BaseChosen
from pluriverse.catalogue.ladder import rungs
from pluriverse.cli.terminal.pulling import show_chosen
from pluriverse.errors import IntegrityError

SMALL, STANDARD, BETTER = rungs()


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            BaseChosen(BETTER, BETTER, False),
            "the model better (qwen2.5-coder-1.5b-instruct) comes first: 1.1 GB to download once, 1.9 GB of memory; "
            "PLURIVERSE_BASE=small takes less",
        ),
        (
            BaseChosen(SMALL, BETTER, True, "here"),
            "speaking through small (smollm2-135m-instruct), which is here; for better answers "
            "(1.1 GB): pluriverse pull better",
        ),
        (
            BaseChosen(STANDARD, BETTER, False, "memory"),
            "this machine has too little memory for better (1.9 GB): the model standard (qwen2.5-coder-0.5b-instruct) "
            "comes first: 491.4 MB to download once, 670.0 MB of memory",
        ),
        (
            BaseChosen(SMALL, BETTER, True, "offline"),
            "better is not here, and PLURIVERSE_OFFLINE is set: speaking through small (smollm2-135m-instruct), "
            "which is here",
        ),
        (
            BaseChosen(STANDARD, BETTER, False, "failed", IntegrityError("piece 7 has other bytes")),
            "piece 7 has other bytes: the model standard (qwen2.5-coder-0.5b-instruct) comes first: "
            "491.4 MB to download once, 670.0 MB of memory",
        ),
    ],
)
def test_one_line(choice: BaseChosen, words: str) -> None:
    said: list[str] = []
    out: Any = type("Out", (), {"note": staticmethod(said.append)})
    show_chosen(out, choice)
    assert said == [words]
