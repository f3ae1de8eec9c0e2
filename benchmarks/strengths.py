"""How strongly each starter pair must be guided on a base to be told apart, and what that costs its language.

    python benchmarks/strengths.py --base better --pairs progressive,duty --strengths 0,1,1.5 --out found.json

Every voice answers the same few questions at every strength, all of them in one batch. The base, told of both sides,
judges them as in `panel check`; the guards of `panel check` watch them, which compare perplexity with that of the
unguided voice where strength 0 was measured before. Questions to choose by are those of
panelcheck/questions.toml; `--held-out` asks those of held_out.toml, for the figures of what was chosen. Prompts are
those that hold on the base (assistant/starter/bases): to try another one, write it there and measure again.

Prints one row a pair and strength: the smallest strength whose row says `apart` and whose guards hold is the one to
take, once its answers (--out has them all, --read prints them) have been read.
"""

import argparse
import asyncio
import json
import os
import time
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pluriverse.measure.classify.guards import Fluency, broken
from pluriverse.measure.run.session import Answers, AssistantSession, fluency_of
from pluriverse.measure.schema.words import ran_off
from pluriverse.measure.stats.intervals import auc_of
from pluriverse.measure.stats.verdict import finding
from pluriverse.panelcheck.questions import by_dimension
from pluriverse.panelcheck.separability import described, sided
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load

FIRST = "progressive,duty,history-of-states,buddhist,individual,scientist,western-historian,free-market,hispanohablante"


@dataclass(frozen=True, slots=True)
class Row:
    """One pair at one strength; None: as its files say."""

    pair: tuple[str, str]
    strength: float | None
    separation: tuple[float, float, float]
    verdict: str
    guards: tuple[str, ...]  # those that do not hold, in words
    perplexity: tuple[float, ...]  # times that of the base's own answers
    recital: tuple[float, ...]
    answers: tuple[tuple[str, ...], ...]  # [voices][questions]


def questions_of(dimension: str, number: int, held_out: bool) -> list[str]:
    """Evenly over the file, so that all of a dimension's subjects are asked about."""
    kept = by_dimension()
    if held_out:
        kept = tomllib.loads((Path(__file__).parent / "held_out.toml").read_text("utf-8"))
    return list(kept[dimension])[:: max(1, len(kept[dimension]) // number)][:number]


def options(strength: float | None, arguments: argparse.Namespace) -> AskOptions:
    return AskOptions(max_tokens=arguments.tokens, seed=arguments.seed, temperature=0.7, guidance=strength)


async def measured(
    pair: list[AssistantSession],
    said: list[Answers],
    questions: list[str],
    plain: Fluency,
    alone: dict[str, float],
    strength: float | None,
) -> Row:
    """`alone`: perplexity of each voice without guidance, where that was measured before; filled in at strength 0."""
    a, b = (described(voice.assistant.outlook) for voice in pair)
    texts = [answers.texts for answers in said]
    asked = [(question, text) for question, *both in zip(questions, *texts, strict=True) for text in both]
    odds = (await sided(pair[0].engine, (a, b), asked)).reshape(-1, 2).T
    value = auc_of(odds[0], odds[1])
    fluency = [await fluency_of(voice, answers, questions) for voice, answers in zip(pair, said, strict=True)]
    if strength == 0:
        alone |= {voice.name: each.perplexity for voice, each in zip(pair, fluency, strict=True)}
    usual = [replace(plain, perplexity=max(plain.perplexity, alone.get(voice.name, 0.0))) for voice in pair]
    found = [broken(each, known) for each, known in zip(fluency, usual, strict=True)]
    return Row(
        (pair[0].name, pair[1].name),
        strength,
        (round(value.value, 2), round(value.low, 2), round(value.high, 2)),
        finding(value.value, value.low, value.high, value.number, fewest=1).verdict,
        tuple(f"{voice.name}: {ran_off(why)}" for voice, why in zip(pair, found, strict=True) if why),
        tuple(round(each.perplexity / plain.perplexity, 2) for each in fluency),
        tuple(round(each.recital, 3) for each in fluency),
        tuple(texts),
    )


def shown(row: Row) -> str:
    value, low, high = row.separation
    both = (" ".join(f"{each:g}" for each in pair) for pair in (row.recital, row.perplexity))
    guards = "; ".join(row.guards) or "hold"
    strength = "as its file" if row.strength is None else f"{row.strength:g}"
    cells = (", ".join(row.pair), strength, f"{value} ({low} to {high})", row.verdict, *both, guards)
    return f"| {' | '.join(cells)} |"


def read(pair: list[AssistantSession], said: list[Answers], questions: list[str]) -> None:
    for number, question in enumerate(questions):
        print(f"\n*{question}*\n")
        for voice, answers in zip(pair, said, strict=True):
            print(f"- **{voice.name}**: {' '.join(answers.texts[number].split())}", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="better")
    parser.add_argument("--pairs", default=FIRST, help="first names of pairs")
    parser.add_argument("--strengths", default="0,1,1.5", help="to try; `file`: as they are on this base")
    parser.add_argument("--questions", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--read", type=int, default=0, metavar="N", help="print the answers to N questions")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    strengths = [None if each == "file" else float(each) for each in arguments.strengths.split(",")]
    rows: list[Row] = []
    alone: dict[str, float] = {}
    async with Workspace(replace(load(), base=arguments.base)) as workspace:
        pairs, questions, plain = [], [], []
        for first in arguments.pairs.split(","):
            second = workspace.shelf.assistant(first).counterpart
            assert second, f"{first} has no counterpart"
            pairs.append([await AssistantSession.of(workspace, each) for each in workspace.choose([first, second])])
            dimension = pairs[-1][0].assistant.outlook.dimension
            questions.append(questions_of(dimension, arguments.questions, arguments.held_out))
        for place, pair in enumerate(pairs):
            own = pair[0].told_nothing()
            said = await own.answer(questions[place], options(None, arguments))
            plain.append(await fluency_of(own, said, questions[place]))
        print(
            "| pair | strength | told apart | verdict | recites | perplexity | guards |\n|---|---|---|---|---|---|---|"
        )
        for strength in strengths:
            started = time.perf_counter()
            asked = [(voice, questions[place]) for place, pair in enumerate(pairs) for voice in pair]
            said = await asyncio.gather(*(voice.answer(each, options(strength, arguments)) for voice, each in asked))
            spoken = time.perf_counter() - started
            for place, pair in enumerate(pairs):
                read(pair, said[2 * place : 2 * place + 2], questions[place][: arguments.read])
            for place, pair in enumerate(pairs):
                both = said[2 * place : 2 * place + 2]
                rows.append(await measured(pair, both, questions[place], plain[place], alone, strength))
                print(shown(rows[-1]), flush=True)
            took = time.perf_counter() - started
            print(f"<!-- {spoken:.0f} s to answer, {took:.0f} in all, load {os.getloadavg()[0]:.0f} -->", flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
