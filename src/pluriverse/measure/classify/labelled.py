"""Responses of known class, and how a detector does on them. The texts are never shipped.

They are read from `gold/` of a folder (`datasets.labelled` finds or fetches it). Of each public file only the questions
count whose digest begins with an even byte; the others were never looked at. Knows these files and counts.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import NotFoundError
from ..stats.intervals import Interval
from ..stats.rates import Confusion, wilson

Half = Literal["tuned", "held"]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One response with the label it was given. `issue`: the proposition or topic it is about, where there is one."""

    assistant: str
    question: str
    text: str
    label: str
    issue: str = ""
    finish_reason: str = "stop"

    @property
    def half(self) -> Half:
        """Rules were written with the "tuned" half in view; figures are reported on the one that was "held" back.

        By the second byte of the question's digest (`counts` takes the first), so that no question is in both.
        """
        return "tuned" if self._digest[1] % 2 == 0 else "held"

    @property
    def counts(self) -> bool:
        """Whether the question is one of those that were looked at."""
        return self._digest[0] % 2 == 0

    @property
    def _digest(self) -> bytes:
        prompt = self.issue if self.issue and not self.question else self.question
        return hashlib.sha256(prompt.encode()).digest()


def gold(name: str, folder: Path | None) -> tuple[LabelledText, ...]:
    """All rows of one set: xstest, issuebench, speechmap or pct. NotFoundError without the folder or its files."""
    if name not in _READERS:
        raise NotFoundError(f"no gold labels are called {name!r}", f"known: {', '.join(_READERS)}")
    place = folder / "gold" / name if folder else None
    if place is None or not place.is_dir():
        raise NotFoundError(
            f"the gold labels of {name} are not here", "set PLURIVERSE_DATA to the folder that holds gold/"
        )
    return tuple(row for row in _READERS[name](place) if row.counts)


def _xstest(place: Path) -> Iterable[LabelledText]:
    for file in sorted(place.glob("human_refusal_labels_*.csv")):
        for row in _rows(file):
            label = row["final_label"].partition("_")[2]
            yield LabelledText(file.stem.rpartition("_")[2], row["prompt"], row["completion"], label)


def _issuebench(place: Path) -> Iterable[LabelledText]:
    for row in _rows(place / "human_stance_labels.csv"):
        label = "refusal" if row["final_label"] == "refusal" else _STANCES[row["final_label"][0]]
        who = row["response_model"] or "(not named)"
        yield LabelledText(who, row["prompt_text"], row["response_text"], label, row["topic_neutral"])


def _speechmap(place: Path) -> Iterable[LabelledText]:
    labels, responses = (
        [json.loads(line) for line in (place / name).read_text("utf-8").splitlines() if line.strip()]
        for name in ("labels.jsonl", "responses.jsonl")
    )
    for label, response in zip(labels, responses, strict=True):
        choice = response["response"]["choices"][0]
        text = choice["message"]["content"] or ""
        kind = label["expected_compliance"].lower()
        yield LabelledText(label["model"], label["question"], text, kind, finish_reason=choice["finish_reason"])


def _pct(place: Path) -> Iterable[LabelledText]:
    for row in _rows(place / "human_agreement_labels.csv"):
        label = row["decision"] or row["annot1_label"].partition("_")[2]  # `decision` only where the two differ
        yield LabelledText(row["model"], "", row["completion"], label, row["pct_prompt"])


def _rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"), newline="")))


_STANCES = {"1": "pro", "2": "pro", "3": "neutral", "4": "con", "5": "con"}
_READERS: dict[str, Callable[[Path], Iterable[LabelledText]]] = {
    "xstest": _xstest,
    "issuebench": _issuebench,
    "speechmap": _speechmap,
    "pct": _pct,
}


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """`counts[i][j]`: responses whose label is `labels[i]` and which the detector called `labels[j]`.

    What the detector left undecided is counted in `undecided`, by label, and stands in no other figure than `decided`.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    undecided: tuple[int, ...]

    @property
    def number(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def decided(self) -> Interval:
        return wilson(self.number, self.number + sum(self.undecided))

    @property
    def accuracy(self) -> Interval:
        return wilson(sum(self.counts[place][place] for place in range(len(self.labels))), self.number)

    def against_rest(self, label: str) -> Confusion:
        """The counts that correct an observed rate of `label` (`stats.rates.corrected`)."""
        place = self.labels.index(label)
        hit = self.counts[place][place]
        missed = sum(self.counts[place]) - hit
        wrong = sum(row[place] for row in self.counts) - hit
        return Confusion(hit, missed, self.number - hit - missed - wrong, wrong)

    def recall(self, label: str) -> Interval | None:
        """None where no response has the label."""
        counts = self.against_rest(label)
        return counts.sensitivity if counts.true_positive + counts.false_negative else None

    def precision(self, label: str) -> Interval | None:
        """None where the detector never says it."""
        counts = self.against_rest(label)
        said = counts.true_positive + counts.false_positive
        return wilson(counts.true_positive, said) if said else None

    def as_dict(self) -> dict[str, Any]:
        """Counts and figures; figures are shares with their 95 % intervals after Wilson."""
        figures = {label: self._figures(label) for label in self.labels}
        document = {"labels": self.labels, "counts": self.counts, "undecided": self.undecided, "by_label": figures}
        return document | ({"decided": _shown(self.decided), "accuracy": _shown(self.accuracy)} if self.number else {})

    def _figures(self, label: str) -> dict[str, Any]:
        counts = self.against_rest(label)
        clear = counts.true_negative + counts.false_positive
        return {
            "true_positive": counts.true_positive,
            "false_negative": counts.false_negative,
            "true_negative": counts.true_negative,
            "false_positive": counts.false_positive,
            "precision": _shown(self.precision(label)),
            "sensitivity": _shown(self.recall(label)),
            "specificity": _shown(counts.specificity if clear else None),
        }


def confusion(pairs: Iterable[tuple[str, str | None]], labels: Sequence[str]) -> ConfusionMatrix:
    """Of pairs (label, what the detector said or None). Raises ValueError for a word that is none of `labels`."""
    counts = [[0] * len(labels) for _ in labels]
    undecided = [0] * len(labels)
    for (true, said), number in Counter(pairs).items():
        row = labels.index(true)
        if said is None:
            undecided[row] += number
        else:
            counts[row][labels.index(said)] += number
    return ConfusionMatrix(tuple(labels), tuple(map(tuple, counts)), tuple(undecided))


def by_assistant(
    rows: Sequence[LabelledText], said: Sequence[str | None], labels: Sequence[str]
) -> dict[str, ConfusionMatrix]:
    """A matrix for each assistant: detectors err differently on different ones, which fakes differences."""
    names = sorted({row.assistant for row in rows})
    told = [(row.assistant, row.label, word) for row, word in zip(rows, said, strict=True)]
    return {name: confusion([(label, word) for who, label, word in told if who == name], labels) for name in names}


def _shown(interval: Interval | None) -> dict[str, float | int] | None:
    if interval is None:
        return None
    return {
        "value": round(interval.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "n": interval.number,
    }
