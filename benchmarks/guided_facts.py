"""What guidance costs in facts: TruthfulQA, each voice with and without guidance, paired by question.

    PLURIVERSE_DATA=... python benchmarks/guided_facts.py

Prints one JSON document: per voice, and over all of them, the change of the probability on true answers (MC2 of arXiv
2109.07958, asked in chat format) with its interval, questions drawn anew.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import replace

import numpy as np

from pluriverse.measure.data.datasets import truthfulqa
from pluriverse.measure.run.session import AssistantSession
from pluriverse.measure.stats.intervals import mean_of
from pluriverse.panelcheck.facts import spread, truth_of
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voices", default="progressive,conservative,duty,outcomes")
    parser.add_argument("--questions", type=int, default=40)
    arguments = parser.parse_args()
    changes, voices = [], {}
    async with Workspace(replace(load(), base="small")) as workspace:
        questions = spread(await truthfulqa(workspace.settings), arguments.questions)
        for assistant in workspace.choose(arguments.voices.split(",")):
            voice = await AssistantSession.of(workspace, assistant)
            guided, prompted = (await truth_of(voice, questions)).T
            changes.append(guided - prompted)
            voices[voice.name] = {"prompted": prompted.mean(), "change": mean_of(changes[-1]).as_dict()}
    json.dump({"all": mean_of(np.mean(changes, axis=0)).as_dict(), "voices": voices}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    asyncio.run(main())
