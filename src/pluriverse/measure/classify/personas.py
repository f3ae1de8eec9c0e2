"""Judging with persona statements: a classifier that has read what people on each side would sign, and nothing else."""

import tomllib
from functools import cache
from importlib import resources

from ...settings import Settings
from ..data.datasets import persona_statements
from .classifier import Classifier, trained


@cache
def _pairs() -> dict[tuple[str, str], tuple[str, str]]:
    document = tomllib.loads(resources.files(__package__).joinpath("personas.toml").read_text("utf-8"))
    return {(each["a"], each["b"]): (each["statements"][0], each["statements"][1]) for each in document["pair"]}


def statements_of(a: str, b: str) -> tuple[str, ...]:
    """The data sets with what each side would sign, a's first; none where there are no statements for the pair."""
    return _pairs().get((a, b)) or _pairs().get((b, a), ())[::-1]


async def persona_judge(a: str, b: str, settings: Settings) -> Classifier | None:
    """The judge of a pair of assistants; None where there are no statements for it. Raises what `text_of` raises."""
    sets = statements_of(a, b)
    if not sets:
        return None
    return trained(*[await persona_statements(name, settings) for name in sets])
