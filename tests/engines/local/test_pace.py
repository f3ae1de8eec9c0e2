"""Fewer threads while others compute, and the same words with any number of them."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pluriverse.engines.contract import Chunk, Request
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.engines.local.pace import FIRST_WAIT_S, WINDOW, Pace
from pluriverse.settings import Settings
from pluriverse.values import Message, Sampling


class Machine:
    """Steps take 10 ms with both threads; while `loaded`, 80 ms, but 20 ms with one."""

    def __init__(self, threads: int = 2) -> None:
        self.now, self.loaded = 0.0, False
        self.pace = Pace(threads, clock=lambda: self.now)

    def steps(self, count: int, rows: int = 8) -> int:
        for _ in range(count):
            alone = 0.010 if self.pace.threads == self.pace.most else 0.020
            took = 0.080 if self.loaded and self.pace.threads == self.pace.most else alone
            self.now += took
            self.pace.after(rows, took)
        return self.pace.threads


def test_all_threads_where_nobody_disturbs() -> None:
    assert Machine().steps(200) == 2


def test_foreign_load_is_answered_with_fewer_threads_and_its_end_with_all() -> None:
    machine = Machine()
    machine.steps(50)
    machine.loaded = True
    assert machine.steps(3 * WINDOW) == 1
    machine.loaded = False
    assert machine.steps(int(4 * FIRST_WAIT_S / 0.020)) == 2


def test_while_the_load_lasts_few_steps_are_tried_with_all_threads() -> None:
    machine = Machine()
    machine.steps(50)
    machine.loaded = True
    machine.steps(3 * WINDOW)
    full = 0
    for _ in range(3000):  # a minute
        full += machine.pace.threads == 2
        machine.steps(1)
    assert full <= 5 * WINDOW


def test_fewer_threads_that_do_not_help_are_given_up() -> None:
    machine = Machine()
    machine.steps(50)
    machine.pace._usual[8] = 0.004  # as if steps had once been much faster, for another reason
    machine.steps(2 * WINDOW)
    assert machine.steps(WINDOW) == 2


def test_one_thread_stays_one() -> None:
    assert Machine(threads=1).steps(20) == 1


@pytest.mark.model
def test_the_number_of_threads_changes_no_bit(default_model: Path, tmp_path: Path) -> None:
    async def heard(threads: int) -> tuple[np.ndarray, list[str]]:
        options = replace(EngineOptions(), threads=threads)
        engine = LocalEngine("default", None, default_model, Settings(home=tmp_path), options)
        scores = await engine.score("War and peace are old. " * 6, [" Who began it?"], logits=True)
        requests = [Request((Message("user", f"What is {w}?"),), Sampling(max_tokens=8, temperature=0)) for w in "abc"]
        said = ["", "", ""]
        async for event in engine.generate(requests):
            if isinstance(event, Chunk):
                said[event.index] += event.text
        await engine.aclose()
        assert scores[0].logits is not None
        return scores[0].logits, said

    one, two = asyncio.run(heard(1)), asyncio.run(heard(2))
    assert np.array_equal(one[0], two[0])
    assert one[1] == two[1]
