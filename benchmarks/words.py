"""The words index: how long a book takes, how long a search over all works takes and what memory, beside its peers.

    python benchmarks/words.py [--works FOLDER] [--home FOLDER] [--peers] [--only WORK...]

The works are those of the public-domain library (`works.toml` and a text for each). Indexing is the time from the text
to the index in the store; `passages` is the part of it that cuts the text. A search is timed from the question to its
five passages: `cold` in a process of its own, after its imports, with every index opened and checked; `warm` in a
process that has searched before. `--peers` ranks the same terms of the same passages with SQLite's FTS5 and with bm25s
(`pip install bm25s`), each over one index of all works, as they need it. Times are of processor and of clock; on a
machine that does other things too the first says more.
"""

import argparse
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pluriverse.settings import Settings, load
from pluriverse.store import Store
from pluriverse.values import Digest, Work
from pluriverse.works.index.folding import asked, terms
from pluriverse.works.index.keeping import index_words
from pluriverse.works.index.search import _search
from pluriverse.works.passages import passages

QUESTIONS = (
    "May the living bind those who come after them?",
    "Is it right to lie to spare a friend from a murderer?",
    "What do we owe our parents?",
    "Does the end justify the means?",
    "Should a people be ruled by kings?",
    "Is there a life after death?",
    "¿Es lícita la guerra contra los indios?",
    "Faut-il tolérer ceux qui ne tolèrent pas ?",
    "應該孝順父母嗎",
    "هل الخلافة واجبة",
)
FOUND = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=Path, default=load().data and load().data / "works")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a question, in a process of its own
    args = parser.parse_args()
    works = [work for work in library(args.works) if not args.only or work.id in args.only]
    with TemporaryDirectory() as fresh:
        settings = Settings(home=args.home or Path(fresh), data=args.works.parent)
        if args.one is not None:
            print(json.dumps(once(settings, works, args.one)))
            return
        index(settings, works)
        search(settings, works, args.works)
        if args.peers:
            peers(works, args.works, Path(fresh))


def library(folder: Path) -> list[Work]:
    tables = tomllib.loads((folder / "works.toml").read_text("utf-8"))["work"]
    return [Work(each["id"], each["title"], Digest(f"sha256:{each['sha256']}"), each["language"]) for each in tables]


def index(settings: Settings, works: Sequence[Work]) -> None:
    """Of each work that is not indexed yet: seconds for a million bytes."""
    store, rows = Store.at(settings), []
    for work in works:
        size = (settings.data / "works" / f"{work.id}.txt").stat().st_size if settings.data else 0
        began, clock = time.process_time(), time.perf_counter()
        (indexed,) = index_words(store, settings, [work])
        if indexed.made and size > 100_000:
            rows.append((work.id, size, time.process_time() - began, time.perf_counter() - clock))
    if rows:
        speeds = sorted((cpu / size * 1e6, wall / size * 1e6, name) for name, size, cpu, wall in rows)
        cpu, wall, _ = speeds[len(speeds) // 2]
        slowest, _, name = speeds[-1]
        print(f"indexing, s for 1 MB: median {cpu:.2f} (clock {wall:.2f}), slowest {slowest:.2f} ({name})")
    blobs = [path.stat().st_size for each in store.works({work.digest for work in works}).values()
             for part in each.parts if part.startswith("words") and (path := each.path(part))]  # fmt: skip
    print(f"indexes of {len(works)} works: {sum(blobs) / 1e6:.1f} MB")


def search(settings: Settings, works: Sequence[Work], folder: Path) -> None:
    cold = []
    for question in QUESTIONS:
        command = [sys.executable, __file__, "--works", folder, "--home", settings.home, "--one", question]
        only = ["--only", *(work.id for work in works)]
        done = subprocess.run([*map(str, command), *only], capture_output=True, text=True, check=True)
        cold.append(json.loads(done.stdout))
    show("search, cold", [each["cpu"] for each in cold], [each["wall"] for each in cold])
    print(f"  memory of such a process: {max(each['mb'] for each in cold):.0f} MB, {cold[0]['before']:.0f} before it")
    warm = [once(settings, works, question) for question in QUESTIONS * 3]
    show("search, warm", [each["cpu"] for each in warm[10:]], [each["wall"] for each in warm[10:]])


def once(settings: Settings, works: Sequence[Work], question: str) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, clock = time.process_time(), time.perf_counter()
    _search(Store.at(settings), settings, works, question, FOUND, None)
    cpu, wall = time.process_time() - began, time.perf_counter() - clock
    return {"cpu": cpu, "wall": wall, "before": before, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def show(name: str, cpu: Sequence[float], wall: Sequence[float]) -> None:
    ms = [f"{statistics.median(each) * 1e3:.0f} ms (most {max(each) * 1e3:.0f})" for each in (cpu, wall)]
    print(f"{name}: processor {ms[0]}, clock {ms[1]}")


def peers(works: Sequence[Work], folder: Path, fresh: Path) -> None:
    rows = list(folded(works, folder))
    words = [[word.get(language, "") for word in asked(question, ["en", "es", "fr", "zh", "ar"])]
             for question, language in zip(QUESTIONS, ["en"] * 6 + ["es", "fr", "zh", "ar"], strict=True)]  # fmt: skip
    fts5(rows, words, fresh / "fts5.db")
    bm25s(rows, words, fresh / "bm25s")


def folded(works: Sequence[Work], folder: Path) -> Iterator[list[str]]:
    for work in works:
        for each in passages(work, (folder / f"{work.id}.txt").read_text("utf-8")):
            yield list(terms(each.text, work.language))


def fts5(rows: Sequence[Sequence[str]], questions: Sequence[Sequence[str]], file: Path) -> None:
    began = time.process_time()
    with sqlite3.connect(file) as base:
        base.execute("CREATE VIRTUAL TABLE t USING fts5(x, content='', detail='none', tokenize='unicode61')")
        base.executemany("INSERT INTO t(rowid, x) VALUES (?, ?)", ((n, " ".join(row)) for n, row in enumerate(rows)))
        base.execute("INSERT INTO t(t) VALUES ('optimize')")
    print(f"fts5: {time.process_time() - began:.1f} s for all from the terms, {file.stat().st_size / 1e6:.1f} MB")

    def ask(words: Sequence[str]) -> object:
        said = " OR ".join(f'"{word}"' for word in words)
        return base.execute("SELECT rowid, rank FROM t WHERE t MATCH ? ORDER BY rank LIMIT 50", (said,)).fetchall()

    timed("fts5", ask, questions)


def bm25s(rows: Sequence[Sequence[str]], questions: Sequence[Sequence[str]], folder: Path) -> None:
    import bm25s as library

    began = time.process_time()
    retriever = library.BM25()
    retriever.index([list(row) for row in rows], show_progress=False)
    retriever.save(str(folder))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"bm25s: {time.process_time() - began:.1f} s for all from the terms, {size / 1e6:.1f} MB")
    began = time.process_time()
    loaded = library.BM25.load(str(folder), mmap=True)
    print(f"bm25s, opened: {(time.process_time() - began) * 1e3:.0f} ms")
    timed("bm25s", lambda words: loaded.retrieve([list(words)], k=50, show_progress=False, n_threads=0), questions)
    print(f"  memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def timed(name: str, ask: Callable[[Sequence[str]], object], questions: Sequence[Sequence[str]]) -> None:
    cpu, wall = [], []
    for words in [*questions, *questions]:
        began, clock = time.process_time(), time.perf_counter()
        ask(words)
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - clock)
    show(f"{name}, search", cpu[len(questions) :], wall[len(questions) :])


if __name__ == "__main__":
    main()
