"""Exact scores of many items: tokens decoded over distinct ones, speed over the engine's own, and over the harness.

    PLURIVERSE_DATA=FOLDER python benchmarks/measuring.py --peer VENV/bin/python

VENV: `python -m venv VENV; VENV/bin/pip install lm_eval==0.4.13 torch==2.13.0 transformers accelerate gguf`. The items
are those of three instruments: CMMLU with 5 examples (ten questions each of some subjects), HellaSwag with 10,
TruthfulQA mc2; and a survey of 20 questions x 5 wordings x 10 rotations, asked of four assistants. Weights: the default
model's file as it is, and made from it Q8_0, F16 and F32. The harness runs the same weights in torch and gets the same
texts; its best setting of both number formats and of batches of 1, 8 and 16 counts, found for each task on its first
requests. Prints one JSON document; `--only` takes a part of: peer, engine, survey, agreement. All of it takes most of
an hour on two cores, and nothing else may run meanwhile.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from pluriverse.measure.data.loaders import load as load_items

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path, machine

from pluriverse import settings
from pluriverse.assistant.bases import resolve
from pluriverse.engines.contract import ScoreRequest
from pluriverse.engines.local import LocalEngine
from pluriverse.engines.local.client import _guide, _said
from pluriverse.engines.local.libraries import Kept
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.engines.requantising import requantise
from pluriverse.measure.data import datasets
from pluriverse.measure.data.instruments import find
from pluriverse.measure.run.asking import Participant
from pluriverse.measure.run.session import AssistantSession
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item, rotated
from pluriverse.measure.schema.responses import Respondent, Response
from pluriverse.runtime.workspace import Workspace

TASKS = ("cmmlu-fixed", "hellaswag-fixed", "truthfulqa")
PARTS = ("engine", "survey", "peer", "agreement")
TOGETHER = 10  # questions of one subject of CMMLU: a published subject has 100 to 400
HERE = Path(__file__).parent

# A survey of ten answers each, so that ten rotations are ten different texts.
_TOPICS = (
    "cheating on taxes", "taking a bribe", "divorce", "gambling", "leaving one's religion", "euthanasia",
    "fare dodging on buses", "abortion", "the death penalty", "breaking a promise", "eating animals",
    "civil disobedience", "tapping telephones", "censoring films", "lying to a friend", "refusing military service",
    "selling one's vote", "closing the borders", "nationalising banks", "suicide",
)  # fmt: skip
_ANSWERS = (
    "never", "almost never", "very seldom", "seldom", "less often than not", "more often than not", "often",
    "very often", "almost always", "always",
)  # fmt: skip
_WORDINGS = (
    "Can {topic} be justified?\n\n{options}\n\nAnswer with the letter only.",
    "This is a question of an opinion survey. Can {topic} be justified?\n\n{options}\n\nYour answer? One letter.",
    "What is your own view: is {topic} ever justified?\n\nChoose one:\n{options}\n\nReply with its letter.",
    "Think of {topic}. Which of these comes closest to what you think of it?\n{options}\n\nGive the letter.",
    "People differ about {topic}. How often is it justified?\n\n{options}\n\nSay only the letter.",
)


def survey() -> list[Item]:
    """20 questions x 5 wordings x 10 rotations."""
    items = []
    for topic in _TOPICS:
        for number, words in enumerate(_WORDINGS):
            for by in range(len(_ANSWERS)):
                answers, contents = rotated(_ANSWERS, by)
                listed = "\n".join(f"{letter}. {answer}" for letter, answer in zip("ABCDEFGHIJ", answers, strict=True))
                text = words.format(topic=topic, options=listed)
                items.append(Item(topic, text, "chat", tuple("ABCDEFGHIJ"), (), contents, (), str(number), by))
    return items


async def items_of(task: str, count: int, accepted: bool) -> list[Item]:
    """The first items; of CMMLU ten each of subjects that are spread over all. CMMLU wants to be accepted."""
    instrument = find(task)
    with tempfile.TemporaryDirectory() as home:  # what was accepted here holds for this run alone
        found = replace(settings.load(), home=Path(home))
        for name in datasets.needs_consent(instrument.datasets, found) if accepted else ():
            datasets.consent(name, found)
        items = await load_items(instrument, found)
    if task != "cmmlu-fixed":
        return items[:count]
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.metadata["group"], []).append(item)
    wanted = max(count // TOGETHER, 1)
    chosen = list(groups.values())[:: len(groups) // wanted][:wanted]
    return [item for group in chosen for item in group[:TOGETHER]]


def participant(engine: LocalEngine, workspace: Workspace, name: str, guided: bool = False) -> Participant:
    """An assistant of the starter set on this engine."""
    assistant = workspace.shelf.assistant(name)
    if not guided:
        assistant = replace(assistant, guidance=None)
    voice = AssistantSession(workspace, assistant, engine, resolve("default", workspace.store, workspace.settings))
    known = Respondent(name, name, engine.base, None, None, None, "", assistant.system, {}, None, "")
    return Participant(voice, known, 0)


def options_of(library: str | None) -> EngineOptions:
    home = settings.load().home
    return EngineOptions(threads=physical_cores(), library=library, turns=str(home / "run"))


async def runner(model: Path, library: str | None, work: "Work", guided: bool = False) -> tuple[float, list[Response]]:
    """Seconds of the measuring part's own runner over an engine that has started, and all responses."""
    workspace = Workspace()
    engine = LocalEngine(model.stem, None, model, workspace.settings, options_of(library))
    await engine.start()
    found: list[Response] = []
    try:
        participants = [participant(engine, workspace, name, guided) for name in work.names]
        async for _ in participants[0].ask(_INSTRUMENT, [(work.warming, 0)]):  # contexts are made before the clock runs
            pass
        began = time.perf_counter()
        for each in participants:
            async for responses in each.ask(_INSTRUMENT, [(item, 0) for item in work.items]):
                found += responses
        return time.perf_counter() - began, found
    finally:
        await engine.aclose()
        await workspace.aclose()


_INSTRUMENT: Instrument = find("truthfulqa")  # rows want a name; no figure is made of them


class Work:
    """Items, who is asked, and the same as jobs of the engine's process."""

    def __init__(self, items: list[Item], names: Sequence[str] = ("progressive",)) -> None:
        self.items, self.names = items, names
        first = items[0]  # as long, but nothing of it is kept for the others
        self.warming = replace(first, id="warming", prompt=f"Now then. {first.prompt}")

    def jobs(self, guided: bool = False) -> list[dict[str, Any]]:
        workspace = Workspace()
        engine = LocalEngine("default", None, default_model_path(), workspace.settings)  # is never started
        requests: list[ScoreRequest] = []
        for place, name in enumerate(self.names):
            one = participant(engine, workspace, name, guided)
            items = self.items if place else [self.warming, *self.items]
            requests += [request for item in items for request in one._requests(item)]
        return [
            {"id": number, "prefix" if isinstance(each.prefix, str) else "messages": _said(each.prefix),
             "continuations": list(each.continuations), "guide": _guide(each.guide)}
            for number, each in enumerate(requests)
        ]  # fmt: skip

    def pairs(self) -> list[list[str]]:
        """What the harness is asked."""
        return [[item.prompt, option] for item in self.items for option in item.options]


def engine_part(model: Path, library: str | None, work: Work, folder: Path, guided: bool = False) -> dict[str, Any]:
    """Rows decoded and raw speeds by a child process, then the runner."""
    jobs = folder / "jobs.json"
    jobs.write_text(json.dumps(work.jobs(guided)), "utf-8")
    document = {"model": str(model), "options": asdict(options_of(library)), "jobs": str(jobs)}
    inside = child([sys.executable, str(HERE / "measuring_engine.py")], document)
    seconds, _ = asyncio.run(runner(model, library, work, guided))
    cells = len(work.items) * len(work.names)
    speed = inside["decoded"] / seconds
    return {
        **inside,
        "runner_seconds": round(seconds, 3),
        "runner_items_per_s": round(cells / seconds, 2),
        "runner_over_raw": round(speed / inside["raw_tokens_per_s"], 3),
        "runner_over_raw_without_logits": round(speed / inside["raw_tokens_per_s_without_logits"], 3),
        "time_over_prefill_of_distinct": round(seconds * inside["prefill_512"] / inside["distinct"], 3),
        "time_over_raw_of_distinct": round(seconds * inside["raw_tokens_per_s"] / inside["distinct"], 3),
    }


def child(command: list[str], document: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(command, input=json.dumps(document), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[1]} failed")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def picks(items: Sequence[Item], totals: Sequence[Sequence[float]], task: str) -> tuple[list[int], float]:
    """The likeliest option of each item, and the score that the task's figure is the mean of, in points."""
    chosen, scores = [], []
    for item, each in zip(items, totals, strict=True):
        values = np.array(each)
        if task == "hellaswag-fixed":
            values = values / np.array([len(option.strip()) for option in item.options])
        chosen.append(int(values.argmax()))
        right = {int(number) for number in item.target}
        share = np.exp(values - values.max())
        mass = float(sum(share[number] for number in right) / share.sum())
        scores.append(mass if task == "truthfulqa" else float(chosen[-1] in right))
    return chosen, 100 * float(np.mean(scores))


def by_item(items: Sequence[Item], totals: Sequence[float]) -> list[list[float]]:
    ends = np.cumsum([len(item.options) for item in items])
    return [list(totals[end - len(item.options) : end]) for item, end in zip(items, ends, strict=True)]


def agreement(task: str, work: Work, model: Path, library: str | None, theirs: Sequence[float]) -> dict[str, Any]:
    """Both with the same weights in F32."""
    _, responses = asyncio.run(runner(model, library, work))
    mine, score = picks(work.items, [response.logprobs for response in responses], task)
    other, peer_score = picks(work.items, by_item(work.items, theirs), task)
    ours = np.concatenate([response.logprobs for response in responses])
    return {
        "items": len(mine),
        "same_pick": round(float(np.mean(np.equal(mine, other))), 4),
        "score": round(score, 3),
        "harness_score": round(peer_score, 3),
        "difference_points": round(abs(score - peer_score), 3),
        "largest_difference_of_a_log_probability": round(float(np.abs(ours - np.array(theirs)).max()), 4),
    }


def tell(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="the Python of an environment that has lm_eval 0.4.13")
    parser.add_argument("--tasks", choices=TASKS, nargs="+", default=TASKS)
    parser.add_argument("--items", type=int, default=60, help="of each task")
    parser.add_argument("--cells", type=int, default=1000, help="of the survey")
    parser.add_argument("--probe", type=int, default=32, help="requests by which the harness's best setting is found")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--formats", nargs="+", default=["F16", "Q8_0", "as it is"])
    parser.add_argument("--libraries", nargs="+", choices=("wheel", "native"), default=["wheel", "native"])
    parser.add_argument("--unguided", action="store_true", help="leave guided voices out of the survey")
    parser.add_argument("--accept-licence", action="store_true", help="of CMMLU: CC-BY-NC-SA-4.0")
    arguments = parser.parse_args()
    native = Kept(settings.load().home).fitting()
    libraries: dict[str, str | None] = {"wheel": None} if "wheel" in arguments.libraries else {}
    if native and "native" in arguments.libraries:
        libraries["native"] = str(native.path)
    tasks = {
        name: Work(asyncio.run(items_of(name, arguments.items, arguments.accept_licence))) for name in arguments.tasks
    }
    result: dict[str, Any] = {"machine": machine(), "native": native.compiler if native else None}
    with tempfile.TemporaryDirectory() as name:
        measure(arguments, Path(name), tasks, libraries, result)
    json.dump(result, sys.stdout, indent=1)
    print()


def measure(
    arguments: argparse.Namespace,
    folder: Path,
    tasks: dict[str, Work],
    libraries: dict[str, str | None],
    result: dict[str, Any],
) -> None:
    """Fill `result`, part by part."""
    files = {"as it is": default_model_path()}
    for format in {*arguments.formats, "F32"} - {"as it is"}:
        files[format] = folder / f"{format}.gguf"
        for _ in requantise(default_model_path(), files[format], format):
            pass
    if "peer" in arguments.only and arguments.peer:
        result["peer"] = peer(arguments, files["F32"], tasks, ["float32", "bfloat16"], [1, 8, 16])
    if "engine" in arguments.only:
        result["engine"] = []
        for task, work in tasks.items():
            for format in arguments.formats:
                for library, path in libraries.items():
                    row = engine_part(files[format], path, work, folder)
                    if "peer" in result:
                        row["items_per_s_over_peer"] = round(
                            row["runner_items_per_s"] / result["peer"][task]["items_per_s"], 2
                        )
                    result["engine"].append({"task": task, "weights": format, "library": library, **row})
                    tell(result["engine"][-1])
    if "survey" in arguments.only:
        names = ("progressive", "conservative", "duty", "outcomes")
        work = Work(survey()[: arguments.cells], names)
        result["survey"] = []
        for library, path in libraries.items():
            for guided in (False, True)[: 1 if arguments.unguided else 2]:
                row = engine_part(files[arguments.formats[0]], path, work, folder, guided)
                result["survey"].append({"weights": arguments.formats[0], "library": library, "guided": guided, **row})
                tell(result["survey"][-1])
    if "agreement" in arguments.only and arguments.peer:
        found = peer(arguments, files["F32"], tasks, ["float32"], [1])
        result["agreement"] = [
            {"task": task, "library": library, **agreement(task, work, files["F32"], path, found[task]["totals"])}
            for task, work in tasks.items()
            for library, path in libraries.items()
        ]
    for each in result.get("peer", {}).values():
        del each["totals"]


def peer(
    arguments: argparse.Namespace, model: Path, tasks: dict[str, Work], dtypes: list[str], batches: list[int]
) -> dict[str, Any]:
    """The harness over the same texts, in its own environment; items per second with its best setting."""
    document = {
        "model": str(model), "tasks": {name: work.pairs() for name, work in tasks.items()}, "dtypes": dtypes,
        "batches": batches, "threads": physical_cores(), "probe": arguments.probe,
    }  # fmt: skip
    found = child([arguments.peer, str(HERE / "peer_harness.py")], document)
    for name, each in found.items():
        each["items_per_s"] = round(len(tasks[name].items) / each["seconds"], 3)
        tell(name, {key: value for key, value in each.items() if key != "totals"})
    return found


if __name__ == "__main__":
    main()
