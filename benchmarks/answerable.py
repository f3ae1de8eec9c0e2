"""How often voices say that their works do not speak of a question: of questions that they do, and do not, speak of.

    python benchmarks/answerable.py [--only NUMBER...]

Eighty questions of eight voices (benchmarks/answerable.toml). Texts come from PLURIVERSE_DATA/works; vectors are made
and kept in the data folder. "words alone": the same evidence without the meaning. The numbers of
`works.nearness.Evidence` were fitted on the voices with even numbers; what counts is what holds of the others.
"""

import argparse
import asyncio
import time
import tomllib
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

from pluriverse.assistant import Assistant
from pluriverse.errors import NotFoundError
from pluriverse.runtime.grounding import Grounding
from pluriverse.runtime.grounds import Grounds
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load
from pluriverse.values import Digest
from pluriverse.works.nearness import Evidence
from pluriverse.works.schema import Work

QUESTIONS = Path(__file__).with_suffix(".toml")
GOALS = {"speaks": "at most 0.10", "silent": "at least 0.80"}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", type=int, help="voices, from 0")
    args = parser.parse_args()
    settings = load()
    if settings.data is None:
        raise NotFoundError("there are no works", "set PLURIVERSE_DATA")
    voices = list(enumerate(tomllib.loads(QUESTIONS.read_text("utf-8"))["voice"]))
    found: list[tuple[str, bool, Evidence]] = []
    async with Workspace(settings) as workspace:
        grounding = Grounding(workspace)
        for number, voice in voices:
            if args.only and number not in args.only:
                continue
            works = tuple(work_of(settings.data / "works" / f"{name}.txt") for name in voice["works"])
            assistant = Assistant(f"voice-{number}", works=works)
            for kind in GOALS:
                for question in voice[kind]:
                    began = time.perf_counter()
                    said = await grounds(grounding, assistant, question)
                    found.append((kind, bool(number % 2), said.evidence))
                    tell(kind, question, said, time.perf_counter() - began)
    for kind, goal in GOALS.items():
        for held_out in (False, True):
            own = [evidence for of, out, evidence in found if (of, out) == (kind, held_out)]
            by_words = [Evidence(each.covered, each.unknown) for each in own]
            for name, some in (("", own), (", words alone", by_words)):
                if some:
                    declined = sum(each.value <= 0 for each in some)
                    group = f"{kind}, {'held out' if held_out else 'fitted'}{name}"
                    print(f"{group}: declined {declined} of {len(some)} = {declined / len(some):.2f}, {goal}")


async def grounds(grounding: Grounding, assistant: Assistant, question: str) -> Grounds:
    async with aclosing(grounding.of(assistant, question)) as steps:
        return await anext(step async for step in steps if isinstance(step, Grounds))


def work_of(path: Path) -> Work:
    return Work(path.stem, path.stem, Digest(f"sha256:{sha256(path.read_bytes()).hexdigest()}"), "en")


def tell(kind: str, question: str, found: Grounds, seconds: float) -> None:
    evidence = found.evidence
    numbers = " ".join(f"{value:5.2f}" for value in (evidence.value, evidence.covered, evidence.unknown))
    meaning = " none" if evidence.meaning is None else f"{evidence.meaning:5.2f}"
    said = "DECLINED" if found.quotation is None else found.quotation.shown
    print(f"{kind} {numbers} {meaning} {seconds:4.1f} s  {question}\n    {said}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
