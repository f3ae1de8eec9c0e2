"""The page docs/reading.md: answers of a prompt alone and of a voice with works, side by side, for readers to judge.

    python benchmarks/reading.py > reading.json
    python benchmarks/reading.py --page reading.json > docs/reading.md

Ten questions, written down before anything was asked. Each goes to a voice with works, and to the same base that is
told to answer as that author would. Which of the two comes first is drawn; the key stands at the end of the page.
"""

import argparse
import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from pluriverse.asking.asking import ask
from pluriverse.assistant import Assistant
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load

ASKED = (
    ("burke", "May the living bind those who come after them?"),
    ("burke", "Is it wise to trust old habits and prejudices?"),
    ("paine", "Is it right that the son of a king becomes king?"),
    ("locke", "When may a people remove its government?"),
    ("marx-engels", "Should there be private property?"),
    ("confucians", "What do we owe our parents?"),
    ("taoists", "What makes a good ruler?"),
    ("kant", "May I make a promise that I do not mean to keep?"),
    ("mill", "Should we silence people whose opinions are wrong?"),
    ("mill", "Is it better to be a clever man who is unhappy than a fool who is content?"),
)
SEED = 1
HEAD = """\
# Read and judge: a prompt, or works?

Ten questions, each answered twice by the model `{base}`: once by a voice with works, once by the same model that is
only told to answer as that author would ("{prompt}"). Which stands first was drawn; the key is at the end. Nothing was
picked or changed: one draw each, temperature 0.7, seed 1, at most {tokens} tokens. `python benchmarks/reading.py` asks
them again.

The quotation tells you which one has works. So do not ask which is which, but: **which of the two would you rather show
to somebody who wants to know what this author thought?** And: does the explanation say what the quotation says?
"""
TOKENS = 160


def prompt_of(voice: Assistant) -> str:
    authors = " and ".join(dict.fromkeys(work.author or work.title for work in voice.works))
    return f"You answer as {authors} would. Answer in two or three plain sentences of today's English."


async def answers(base: str) -> dict[str, Any]:
    rows = []
    async with Workspace(load()) as workspace:
        for name, question in ASKED:
            voice = workspace.shelf.assistant(name)
            alone = Assistant("prompt", system=prompt_of(voice))
            asking = ask(workspace, question, (voice, alone), AskOptions(max_tokens=TOKENS, seed=SEED, base=base))
            async for _ in asking:
                pass
            for reply in asking.replies:
                if reply.error is not None:
                    raise reply.error
            works, prompt = asking.replies
            row = {"voice": name, "title": voice.title, "question": question, "prompt": prompt.text.strip()}
            quoted = [each["source"] for each in works.as_dict()["citations"] if each["quotes"]]
            rows.append({**row, "works": works.text.strip(), "from": quoted})
            print(f"{name}: {asking.replies.total_s:.0f} s", file=sys.stderr, flush=True)
    return {"base": base, "answers": rows}


def page(found: dict[str, Any]) -> str:
    draw = random.Random(SEED)
    lines = [HEAD.format(base=found["base"], prompt="You answer as Edmund Burke would. …", tokens=TOKENS)]
    key = []
    for number, row in enumerate(found["answers"], 1):
        first, second = draw.sample(("works", "prompt"), 2)
        lines += [f"## {number}. {row['question']}\n", f"{row['title']}:\n"]
        lines += [f"- **A.** {folded(row[first])}", f"- **B.** {folded(row[second])}\n"]
        places = "; ".join(row["from"]) or "nothing: its works do not speak of it"
        key.append(f"{number}. {'A' if first == 'works' else 'B'} has works, and quotes {places}.")
    return "\n".join([*lines, "## Key\n", *key])


def folded(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="better")
    parser.add_argument("--page", type=Path, metavar="FILE", help="ask nothing: the page of what was answered")
    args = parser.parse_args()
    if args.page:
        print(page(json.loads(args.page.read_text("utf-8"))))
        return
    json.dump(asyncio.run(answers(args.base)), sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
