"""How often the passage that answers a question is among the first five: by words, by meaning, by both.

    python benchmarks/retrieval.py [--works FOLDER] [--keep FOLDER] [--only WORK...] [--questions FILE]

Sixty questions over twenty works (benchmarks/works/questions.toml), each asked of the work that has its passage, as a
voice with that work would search it. A passage is found where one of those found holds words of the wanted one; those
that are joined count as one, and "parts" is their number among the first five. Vectors are kept in the folder and gone
on with. "no shared word": none of the question's terms, folded and stemmed, stands in
its passage.
"""

import argparse
import asyncio
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from pluriverse.engines.contract import Engine
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.settings import load
from pluriverse.store import Store
from pluriverse.values import Digest
from pluriverse.works.index import meaning
from pluriverse.works.index.folding import asked, terms
from pluriverse.works.index.models import ENGLISH, Model
from pluriverse.works.index.search import fused, joined, most_of
from pluriverse.works.index.words import build, opened, ranks
from pluriverse.works.passages import fold, passages
from pluriverse.works.schema import Passage, Work

HERE = Path(__file__).parent
DEPTH = 50  # of each ranking before they are joined
FIRST = (1, 3, 5, 10, 20)


@dataclass(frozen=True)
class Asked:
    """One question: at which place each ranking has its passage (from 1; 0: not found)."""

    work: str
    question: str
    shares: bool  # a word with its passage
    places: Mapping[str, int]
    parts: int  # passages that are joined to the first five


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=Path, default=load().data and load().data / "works")
    parser.add_argument("--keep", type=Path, default=Path("retrieval"))
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--questions", type=Path, default=HERE / "works" / "questions.toml")
    args = parser.parse_args()
    questions = tomllib.loads(args.questions.read_text("utf-8"))["question"]
    names = [name for name in dict.fromkeys(each["work"] for each in questions) if not args.only or name in args.only]
    names.sort(key=lambda name: (args.works / f"{name}.txt").stat().st_size)
    stored = Store.at(load()).find(ENGLISH)
    engine = LocalEngine(ENGLISH, stored.digest, stored.path, load(), EngineOptions(threads=2))
    found: list[Asked] = []
    try:
        for name in names:
            own = [each for each in questions if each["work"] == name]
            found += await of_work(engine, Model(ENGLISH, stored.digest), args.works / f"{name}.txt", own, args.keep)
            show(found)
    finally:
        await engine.aclose()


async def of_work(
    engine: Engine, model: Model, path: Path, questions: Sequence[Mapping[str, str]], keep: Path
) -> list[Asked]:
    data = path.read_bytes()
    work = Work(path.stem, path.stem, Digest(f"sha256:{sha256(data).hexdigest()}"), "en")
    cut = passages(work, data.decode())
    words = opened(build(work, data.decode(), cut), work)
    vectors = await vectors_of(engine, model, work, cut, keep)
    found = []
    for each in questions:
        wanted = fold(each["passage"])
        vector = await meaning.embed_question(engine, each["question"], model)
        by_words = ranks([words], each["question"], DEPTH)
        near = meaning.likenesses([vectors], vector)
        both = joined(fused(by_words, near, most_of([words], each["question"]), DEPTH), [words])
        rankings = {
            "words": [{number} for _, number, _ in by_words],
            "meaning": [{number} for _, number, _ in meaning.ranks(near, DEPTH)],
            "both": [{one.place[1] for one in run} for run in both],
        }
        target = {passage.number for passage in cut if wanted in passage.text} or split(wanted, cut, data.decode())
        places = {
            name: next((at for at, numbers in enumerate(ranking, 1) if numbers & target), 0)
            for name, ranking in rankings.items()
        }
        there = {term for number in target for term in terms(cut[number].text, "en")}
        found.append(
            Asked(
                work.id,
                each["question"],
                bool(there & {word["en"] for word in asked(each["question"], ["en"])}),
                places,
                sum(map(len, rankings["both"][:5])),
            )
        )
        print(f"  {places['words']:3} {places['meaning']:3} {places['both']:3}  {each['question']}")
    return found


def split(wanted: str, cut: Sequence[Passage], text: str) -> set[int]:
    """The passages that hold parts of words that a cut divides."""
    return {
        number
        for passage, after in pairwise(cut)
        if wanted in f"{passage.text} {after.text}"
        for number in (passage.number, after.number)
    }


async def vectors_of(
    engine: Engine, model: Model, work: Work, cut: Sequence[Passage], keep: Path
) -> meaning.MeaningIndex:
    made_of = meaning.MadeOf(work.digest, meaning.cut_of([(each.start, each.end) for each in cut]), model)
    part = keep.absolute() / f"{work.id}.vectors"
    began, before = time.perf_counter(), -1
    async for step in meaning.build(engine, made_of, [each.text for each in cut], part):
        if isinstance(step, meaning.Embedded):
            before = step.done if before < 0 else before
            continue
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(step)
        took, size = time.perf_counter() - began, sum(len(each.text) for each in cut) if before == 0 else 0
        speed = f"{took / size * 1e6:.0f} s for 1 MB" if size else "kept"
        print(f"{work.id}: {len(cut)} passages, {speed}", flush=True)
        return meaning.opened(step, made_of)
    raise AssertionError("no index came")


def show(found: Sequence[Asked]) -> None:
    for title, some in (
        ("all", found),
        ("no shared word", [each for each in found if not each.shares]),
        ("shared words", [each for each in found if each.shares]),
    ):
        if some:
            print(f"{title}, {len(some)} questions: found among the first {', '.join(map(str, FIRST))}")
            for name in ("words", "meaning", "both"):
                shares = [sum(0 < each.places[name] <= most for each in some) / len(some) for most in FIRST]
                print(f"  {name:8}", "  ".join(f"{share:.2f}" for share in shares), flush=True)
            print(f"  {sum(each.parts for each in some) / len(some):.1f} parts among the first five of both")


if __name__ == "__main__":
    asyncio.run(main())
