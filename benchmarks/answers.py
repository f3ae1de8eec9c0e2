"""Whether voices with works ever quote what does not stand there: many answers, each looked up in the work itself.

    python benchmarks/answers.py --base small --asks 25 --out small.jsonl
    python benchmarks/answers.py --count small.jsonl standard.jsonl better.jsonl

The eight voices whose vectors ship are asked together, as `pluriverse ask` does it: questions of `panel check` and of
`answerable.toml`, half of them guided, half of them at temperature 0 and half at 1, with three seeds. FILE has a line
an answer; called again, it goes on where it stopped.

What stands between quotation marks is looked up by this file's own few lines, in the whole text of the work as it lies
in the package: nothing of the product's holding, reading or passages is used for that.
"""

import argparse
import asyncio
import json
import lzma
import random
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Any

from pluriverse.asking.asking import ask
from pluriverse.panelcheck.questions import by_dimension
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import load

VOICES = ("burke", "paine", "locke", "marx-engels", "confucians", "taoists", "kant", "mill")
STRENGTH = 2.0
SEEDS = (1, 2, 3)
TOKENS = 130  # of an answer, with the quotation that it begins with
QUOTED = re.compile(r"“([^”]*)(”?)|\"([^\"]*)(\"?)|«([^»]*)(»?)|„([^“”]*)([“”]?)")
LONG = 5  # words of a quotation that counts as one

Row = dict[str, Any]


def asks() -> list[Row]:
    """The same for every base: a question, and how it is asked."""
    questions = [each for dimension in ("politics", "values", "culture") for each in by_dimension()[dimension]]
    document = tomllib.loads((Path(__file__).parent / "answerable.toml").read_text("utf-8"))
    questions += [question for voice in document["voice"] for question in voice["speaks"]]
    random.Random(20).shuffle(questions)
    ways = list(product(SEEDS, (0.0, 1.0), (0.0, STRENGTH)))
    names = ("seed", "temperature", "guidance")
    return [
        {"ask": n, "question": question, **dict(zip(names, ways[n % len(ways)], strict=True))}
        for n, question in enumerate(questions)
    ]


async def ask_all(base: str, todo: Sequence[Row], out: Path) -> None:
    async with Workspace(load()) as workspace:
        voices = [workspace.shelf.assistant(name) for name in VOICES]
        for row in todo:
            options = AskOptions(
                max_tokens=TOKENS, temperature=row["temperature"], guidance=row["guidance"], seed=row["seed"], base=base
            )
            asking = ask(workspace, row["question"], voices, options)
            async for _ in asking:
                pass
            replies = asking.replies
            lines = []
            for voice, reply in zip(voices, replies, strict=True):
                if reply.error is not None:
                    raise reply.error
                assert reply.cited is not None
                works = [work.id for work in voice.works]
                found = {"voice": voice.name, "base": reply.base, "text": reply.text, "declined": reply.cited.declined}
                lines.append(json.dumps({**row, **found, "works": works}, ensure_ascii=False) + "\n")
            with out.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
            print(f"{base} {row['ask']}: {replies.total_s:.0f} s", file=sys.stderr, flush=True)


# -- looking up


def folded(text: str) -> str:
    return " ".join(text.split())


@cache
def work(id: str) -> str:
    data = files("pluriverse.works.library").joinpath("texts", f"{id}.txt.xz").read_bytes()
    return folded(lzma.decompress(data).decode("utf-8"))


def quoted(text: str) -> Iterable[tuple[str, bool]]:
    """What stands between marks, and whether they close."""
    for match in QUOTED.finditer(text):
        said, end = next((match[n], match[n + 1]) for n in (1, 3, 5, 7) if match[n] is not None)
        yield folded(said), bool(end)


def stands(said: str, works: Sequence[str]) -> bool:
    """Whether the pieces between ellipses stand in one work, one after the other, whole words each."""
    pieces = [piece.strip() for piece in re.split(r"…|\.\.\.", said)]
    for id in works:
        place = 0
        for piece in filter(None, pieces):
            place = work(id).find(piece, place)
            if place < 0:
                break
            place += len(piece)
        else:
            return True
    return False


def wilson(hits: int, n: int) -> str:
    """A share with its interval of 95 %."""
    if not n:
        return "-"
    z, share = 1.96, hits / n
    middle, half = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return f"{share:.3f} ({max(low, 0.0):.3f} to {min(high, 1.0):.3f}), {hits} of {n}"


def report(rows: Sequence[Row]) -> None:
    answered = [row for row in rows if not row["declined"]]
    quotes = [(row, said, end) for row in answered for said, end in quoted(row["text"])]
    false = [(row, said) for row, said, _ in quotes if not stands(said, row["works"])]
    long = [row for row in answered if any(len(said.split()) >= LONG for said, _ in quoted(row["text"]))]
    own = len(quotes) - len(answered)
    print(f"  answers {len(rows)}; declined {wilson(len(rows) - len(answered), len(rows))}")
    print(f"  with a quotation of {LONG} words or more: {wilson(len(long), len(answered))}")
    print(f"  quotations not found in the work: {wilson(len(false), len(quotes))}; {own} beyond the first ones")
    for row, said in false:
        print(f"    {row['base']} {row['ask']} {row['voice']}: {said}")


def count(paths: Sequence[Path]) -> None:
    rows = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    print("all")
    report(rows)
    for key in ("base", "guidance", "temperature", "seed"):
        for value in sorted({row[key] for row in rows}):
            print(f"{key} {value}")
            report([row for row in rows if row[key] == value])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="small")
    parser.add_argument("--asks", type=int, default=25, help="questions, each to eight voices")
    parser.add_argument("--out", type=Path, metavar="FILE")
    parser.add_argument("--count", nargs="+", type=Path, metavar="FILE", help="ask nothing, count what files hold")
    args = parser.parse_args()
    if args.count:
        return count(args.count)
    if args.out is None:
        parser.error("say where answers are kept: --out FILE")
    kept = (
        {json.loads(line)["ask"] for line in args.out.read_text("utf-8").splitlines()} if args.out.exists() else set()
    )
    asyncio.run(ask_all(args.base, [row for row in asks()[: args.asks] if row["ask"] not in kept], args.out))
    return count([args.out])


if __name__ == "__main__":
    main()
