"""How many quotations mislead: each judged in its context, by hand.

    python benchmarks/quotations.py [--only WORK...] [--questions FILE] [--new FILE]

The questions of benchmarks/answerable.toml and benchmarks/works/questions.toml are asked of their works, and what each
reply would begin with is looked up in benchmarks/quotations.toml. Misleading is what says in its context something
else than it says alone: another's view, half of a thought, words that point to what is not there. Whether it answers
the question well is not judged. `--new`: write what nobody has judged yet, with what stands around it, to be judged.
"""

import argparse
import asyncio
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from answerable import work_of

from pluriverse.assistant import Assistant
from pluriverse.errors import NotFoundError
from pluriverse.runtime.grounding import Grounding, grounded
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load
from pluriverse.works.texts import text_of

HERE = Path(__file__).parent
AROUND = 300  # characters


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--questions", type=Path, help="others, in the form of benchmarks/works/questions.toml")
    parser.add_argument("--new", type=Path)
    args = parser.parse_args()
    settings = load()
    if settings.data is None:
        raise NotFoundError("there are no works", "set PLURIVERSE_DATA")
    judged = {
        (each["work"], each["quotation"]): each["misleads"]
        for each in tomllib.loads((HERE / "quotations.toml").read_text("utf-8"))["quotation"]
    }
    known, new, declined = [], [], 0
    async with Workspace(settings) as workspace:
        grounding = Grounding(workspace)
        for names, question in questions(args.questions):
            if args.only and not set(names) <= set(args.only):
                continue
            works = tuple(work_of(settings.data / "works" / f"{name}.txt") for name in names)
            chosen = (await grounded(grounding, Assistant("voice", works=works), question)).quotation
            if chosen is None:
                declined += 1
                continue
            passage = chosen.passage
            key = (passage.work.id, chosen.shown)
            if key in judged:
                known.append(judged[key])
                if judged[key]:
                    print(f"misleads: {question} {chosen.shown}")
                continue
            text = text_of(passage.work, None, settings).decode()
            around = text[max(passage.start - AROUND, 0) : passage.end + AROUND]
            new.append({"work": key[0], "question": question, "quotation": key[1], "around": " ".join(around.split())})
    print(f"{sum(known)} of {len(known)} quotations mislead, at most 0.05; {len(new)} not judged, {declined} declined")
    if args.new:
        args.new.write_text(json.dumps(new, ensure_ascii=False, indent=1), "utf-8")


def questions(others: Path | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Works, and a question that they speak of."""
    for voice in [] if others else tomllib.loads((HERE / "answerable.toml").read_text("utf-8"))["voice"]:
        for question in voice["speaks"]:
            yield tuple(voice["works"]), question
    asked = others or HERE / "works" / "questions.toml"
    for each in tomllib.loads(asked.read_text("utf-8"))["question"]:
        yield (each["work"],), each["question"]


if __name__ == "__main__":
    asyncio.run(main())
