"""How far guidance sets the starter pairs apart, on questions that nothing was chosen by.

    PLURIVERSE_DATA=... python benchmarks/voices.py --out voices.json

Per pair: 40 held-out questions (held_out.toml), three seeds, each voice prompted only and guided. Judge (a) is the
classifier of persona statements where there are any: gap = its mean probability of side a for a's answers less that
for b's. Judge (b) is the base told of both sides: area under the curve, on the first seed and every second question.
Intervals draw questions anew. Perplexity is the plain base's, relative to that of its own answers. The result is
written after every pair.
"""

import argparse
import asyncio
import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pluriverse.measure.classify.guards import language_held, repetition
from pluriverse.measure.classify.personas import persona_judge
from pluriverse.measure.run.session import Answers, AssistantSession, fluency_of
from pluriverse.measure.stats.intervals import Interval, auc_of, clustered
from pluriverse.panelcheck.separability import described, sided
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load

PAIRS = (
    ("progressive", "conservative"),
    ("duty", "outcomes"),
    ("buddhist", "christian"),
    ("individual", "community"),
    ("history-of-states", "history-from-below"),
    ("scientist", "humanist"),
    ("hispanohablante", "francophone"),
    ("western-historian", "eastern-historian"),
    ("free-market", "social-democrat"),
)
TOKENS = 48
SAMPLES = 5


def held_out(dimension: str) -> list[str]:
    document = tomllib.loads((Path(__file__).parent / "held_out.toml").read_text("utf-8"))
    return list(document[dimension])


def told(interval: Interval) -> dict[str, Any]:
    return {key: round(value, 3) for key, value in interval.as_dict().items()}


def gap_of(a: np.ndarray, b: np.ndarray) -> Interval:
    """Mean difference of probabilities [seeds, questions], questions drawn anew."""
    return clustered(a.shape[1], lambda drawn: float((a[:, drawn] - b[:, drawn]).mean()))


def persona_gap(judge: Any, runs: dict[str, list[Answers]]) -> dict[str, Any]:
    a, b = (np.stack([judge.probability(answers.texts) for answers in each]) for each in runs.values())
    return told(gap_of(a, b)) | {"a": round(float(a.mean()), 3), "b": round(float(b.mean()), 3)}


async def sides_auc(
    voices: list[AssistantSession], runs: dict[str, list[Answers]], questions: list[str]
) -> dict[str, Any]:
    sides = tuple(described(voice.assistant.outlook) for voice in voices)
    every = range(0, len(questions), 2)
    asked = [(questions[place], each[0].texts[place]) for place in every for each in runs.values()]
    a, b = (await sided(voices[0].engine, sides, asked)).reshape(-1, 2).T
    return told(auc_of(a, b))


async def measured(workspace: Workspace, names: tuple[str, str], number: int, seeds: int) -> dict[str, Any]:
    voices = [await AssistantSession.of(workspace, assistant) for assistant in workspace.choose(names)]
    questions = held_out(voices[0].assistant.outlook.dimension)[:number]
    judge = await persona_judge(*names, workspace.settings)
    plain = voices[0].told_nothing()
    own = await fluency_of(plain, await plain.answer(questions, AskOptions(max_tokens=TOKENS, seed=1)), questions)
    row: dict[str, Any] = {"pair": names, "questions": len(questions), "seeds": seeds}
    for mode, strength in (("prompted", 0.0), ("guided", None)):
        runs = {
            voice.name: [
                await voice.answer(questions, AskOptions(max_tokens=TOKENS, seed=seed, guidance=strength))
                for seed in range(1, seeds + 1)
            ]
            for voice in voices
        }
        fluency = [await fluency_of(voice, runs[voice.name][0], questions) for voice in voices]
        texts = {voice.name: [text for answers in runs[voice.name] for text in answers.texts] for voice in voices}
        row[mode] = {
            "persona_gap": persona_gap(judge, runs) if judge else None,
            "sides_auc": await sides_auc(voices, runs, questions),
            "perplexity_ratio": [round(each.perplexity / own.perplexity, 2) for each in fluency],
            "repetition": round(float(np.mean([repetition(t) for each in texts.values() for t in each])), 3),
            "language": [
                round(language_held(texts[voice.name], (voice.assistant.languages or ("en",))[0]), 3)
                for voice in voices
            ],
            "recital": [round(each.recital, 3) for each in fluency],
            "samples": [
                {"question": question, **{name: each[0].texts[place] for name, each in runs.items()}}
                for place, question in list(enumerate(questions))[:: max(1, len(questions) // SAMPLES)][:SAMPLES]
            ],
        }
    return row


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("voices.json"))
    parser.add_argument("--pairs", default=",".join(a for a, _ in PAIRS), help="first names of pairs")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    async with Workspace(replace(load(), base="small")) as workspace:
        for names in (pair for pair in PAIRS if pair[0] in arguments.pairs.split(",")):
            rows.append(await measured(workspace, names, arguments.questions, arguments.seeds))
            arguments.out.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
            shown = {
                mode: {k: v for k, v in rows[-1][mode].items() if k != "samples"} for mode in ("prompted", "guided")
            }
            print(json.dumps({"pair": names, **shown}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
