"""How well responses are classed and their stance read: rules, and a judge, against labels that people gave.

    PLURIVERSE_DATA=... python benchmarks/detectors.py [--judge default --rows 100]

Prints one JSON document. Rules were written with one half of the questions in view ("tuned"); trust the other ("held").
With --judge NAME that model judges the held half of each set by the likelihood of its labels, `--rows` of each, spread
over the file.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from common import machine

from pluriverse.ask import Workspace
from pluriverse.measure.classes import (
    GoldRow,
    Judge,
    Judged,
    Jury,
    by_assistant,
    classify,
    confusion,
    gold,
    judge_prompt,
)
from pluriverse.measure.classes.stance import declared, leaning


def _kind(row: GoldRow) -> str:
    return classify(row.text, question=row.question, language="en", finish_reason=row.finish_reason).kind


def _refused(row: GoldRow) -> str:
    return "refusal" if _kind(row) == "refusal" else "rest"


def _done(row: GoldRow) -> str:
    return "complete" if _kind(row) in {"answer", "hedge"} else "not complete"


def _side(row: GoldRow) -> str | None:
    return "refusal" if _kind(row) == "refusal" else leaning(row.text)


def _label(**words: str) -> Callable[[GoldRow], str]:
    return lambda row: words.get(row.label, words.get("rest", row.label))


# name: set, what the label counts as, what the rules say, the words both use
DETECTORS: dict[str, tuple[str, Callable[[GoldRow], str], Callable[[GoldRow], str | None], tuple[str, ...]]] = {
    "xstest: full refusal": ("xstest", _label(full_refusal="refusal", rest="rest"), _refused, ("refusal", "rest")),
    "speechmap: denial": ("speechmap", _label(denial="refusal", rest="rest"), _refused, ("refusal", "rest")),
    "speechmap: not complete": (
        "speechmap",
        _label(complete="complete", rest="not complete"),
        _done,
        ("not complete", "complete"),
    ),
    "issuebench: refusal": ("issuebench", _label(refusal="refusal", rest="rest"), _refused, ("refusal", "rest")),
    "issuebench: stance": ("issuebench", _label(), _side, ("pro", "neutral", "con", "refusal")),
    "pct: agreement": (
        "pct",
        _label(),
        lambda row: declared(row.text, row.issue).side,
        ("agree", "disagree", "other"),
    ),
}  # fmt: skip

# set: the judge's prompt, and what its labels are called in the set
JUDGED: dict[str, tuple[str, dict[str, str]]] = {
    "xstest": ("compliance", {"complete": "full_compliance", "evasive": "partial_refusal", "denial": "full_refusal"}),
    "speechmap": ("compliance", {}),
    "issuebench": ("stance", {}),
    "pct": ("proposition", {}),
}


def figures(rows: Sequence[GoldRow], name: str) -> dict[str, Any]:
    _, labelled, says, labels = DETECTORS[name]
    shown = [GoldRow(row.assistant, row.question, row.text, labelled(row), row.issue) for row in rows]
    said = [says(row) for row in rows]
    whole = confusion([(row.label, word) for row, word in zip(shown, said, strict=True)], labels).as_dict()
    each = by_assistant(shown, said, labels)
    few = len(each) <= 6  # a hundred assistants of two responses each say nothing
    return whole | ({"by_assistant": {who: matrix.as_dict() for who, matrix in each.items()}} if few else {})


def speed(rows: Sequence[GoldRow]) -> float:
    """Texts classed in a second, language check included."""
    _kind(rows[0])  # loads what knows the languages
    started = time.perf_counter()
    for row in rows:
        _kind(row)
    return len(rows) / (time.perf_counter() - started)


async def judged(workspace: Workspace, base: str, rows: int) -> dict[str, Any]:
    jury = Jury([Judge(base, base, await workspace.engine(base, context=4096))])
    found: dict[str, Any] = {}
    for name, (prompt, words) in JUDGED.items():
        held = [row for row in gold(name, workspace.settings.data) if row.half == "held"]
        some = held[:: max(1, len(held) // rows)][:rows]
        pairs: list[tuple[str, str | None]] = []
        for row in some:
            asked = judge_prompt(prompt)
            verdict = await jury.verdict(asked, Judged(row.assistant), row.text, question=row.question, issue=row.issue)
            pairs.append((row.label, words.get(verdict.label or "", verdict.label)))
        labels = tuple(words.get(meaning, meaning) for meaning in judge_prompt(prompt).labels.values())
        matrix = confusion(pairs, labels)
        most = max(labels, key=lambda label: sum(true == label for true, _ in pairs))
        guess = sum(true == most for true, _ in pairs) / len(pairs)
        found[name] = matrix.as_dict() | {"always_saying": most, "would_be_right": round(guess, 4)}
        print(f"{name}: {matrix.accuracy}", file=sys.stderr)
    return found


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judge", default="", help="a base, e.g. default; none: rules only")
    parser.add_argument("--rows", type=int, default=100)
    arguments = parser.parse_args()
    async with Workspace() as workspace:
        sets = {name: gold(name, workspace.settings.data) for name in ("xstest", "speechmap", "issuebench", "pct")}
        document: dict[str, Any] = {"machine": machine(), "texts_per_s": round(speed(sets["xstest"]))}
        for half in ("held", "tuned"):
            document[half] = {
                name: figures([row for row in sets[which] if row.half == half], name)
                for name, (which, *_) in DETECTORS.items()
            }
        if arguments.judge:
            document["judge"] = {
                "base": arguments.judge,
                "held": await judged(workspace, arguments.judge, arguments.rows),
            }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    asyncio.run(main())
