"""The questions that a check asks: open ones, by the dimension in which assistants differ."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources


@cache
def by_dimension() -> dict[str, tuple[str, ...]]:
    document = tomllib.loads(resources.files(__package__).joinpath("questions.toml").read_text("utf-8"))
    return {dimension: tuple(questions) for dimension, questions in document.items()}


def chosen(dimensions: Sequence[str], number: int) -> tuple[str, ...]:
    """`number` questions taken from the dimensions in turn, in the file's order; from all of them where none is named.

    Fewer where the file holds no more.
    """
    kept = by_dimension()
    lists = [kept[dimension] for dimension in dict.fromkeys(dimensions) if dimension in kept] or list(kept.values())
    turns = [each[place] for place in range(max(map(len, lists))) for each in lists if place < len(each)]
    return tuple(dict.fromkeys(turns))[:number]
