"""How often the sentence that a voice quotes first answers the question.

    python benchmarks/sentences.py [--questions FILE] [--only VOICE...]

Questions to voices of the library (benchmarks/works/sentences.toml), with words of the sentences that answer them well,
or are fair. Their texts come from the library or from PLURIVERSE_DATA/works; vectors that are missing are made and kept
in the data folder.
"""

import argparse
import asyncio
import time
import tomllib
from collections import Counter
from pathlib import Path

from pluriverse.runtime.grounding import Grounding, grounded
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load

QUESTIONS = Path(__file__).parent / "works" / "sentences.toml"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--only", nargs="*", default=())
    args = parser.parse_args()
    kinds: Counter[str] = Counter()
    async with Workspace(load()) as workspace:
        grounding = Grounding(workspace)
        for each in tomllib.loads(args.questions.read_text("utf-8"))["question"]:
            if args.only and each["voice"] not in args.only:
                continue
            (assistant,) = workspace.choose([each["voice"]])
            began = time.perf_counter()
            quotation = (await grounded(grounding, assistant, each["question"])).quotation
            said = "" if quotation is None else quotation.text
            kind = (
                "declined"
                if quotation is None
                else next(
                    (kind for kind in ("good", "fair") if any(words.lower() in said.lower() for words in each[kind])),
                    "other",
                )
            )
            kinds[kind] += 1
            print(
                f"{kind:8} {time.perf_counter() - began:4.1f} s  {each['voice']}: {each['question']}\n    {said}",
                flush=True,
            )
    total = kinds.total()
    print(
        f"{total} questions:", ", ".join(f"{kind} {count} = {count / total:.2f}" for kind, count in kinds.most_common())
    )


if __name__ == "__main__":
    asyncio.run(main())
