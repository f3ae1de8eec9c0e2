"""The ladder of default models: names that everybody understands, what each costs, and which one is the default.

Knows its data, `ladder.toml`; nothing of this machine.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ..values import Digest


@dataclass(frozen=True, slots=True)
class Rung:
    """`digest`, `download`: of its file, in bytes; `memory`: bytes that its engine takes while six assistants answer;
    `plain_s`, `guided_s`: until the last of six answers of 100 tokens on two cores, without and with guidance."""

    name: str
    model: str  # id of its catalogue entry
    digest: Digest
    download: int
    memory: int
    plain_s: float
    guided_s: float


def rungs() -> tuple[Rung, ...]:
    """From the smallest up."""
    return _read()[0]


def default_rungs() -> tuple[Rung, ...]:
    """The default, then those below it, the next lower first."""
    all_rungs, default = _read()
    return tuple(reversed(all_rungs[: [each.name for each in all_rungs].index(default) + 1]))


def model_of(name: str) -> str:
    """The catalogue id behind a rung's name; any other name is itself."""
    return next((each.model for each in rungs() if each.name == name), name)


@cache
def _read() -> tuple[tuple[Rung, ...], str]:
    document = tomllib.loads((files(__package__) / "ladder.toml").read_text("utf-8"))
    found = (
        Rung(
            name=each["name"],
            model=each["model"],
            digest=Digest(each["digest"]),
            download=each["download"],
            memory=each["memory"],
            plain_s=each["seconds"]["plain"],
            guided_s=each["seconds"]["guided"],
        )
        for each in document["rung"]
    )
    return tuple(found), document["default"]
