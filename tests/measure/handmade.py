"""Runs made by hand: known answers of known respondents, written by the record itself. No model, no data sets."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pluriverse.measure.data.instruments import find
from pluriverse.measure.run.record import Plan, Record, Run, key_of, read_run
from pluriverse.measure.run.sensitivity import KeptChecks, SensitivityCheck
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Respondent, Response, blank

BASE = "small-model"
COUNTRIES = ("Chile", "Ghana", "Japan", "Norway", "Oman", "Peru")
QUIZ = Instrument(
    "quiz", "A quiz", "expertise", "1", "none", (), ("en",), "Apache-2.0", "us", ("accuracy",), "nothing"
)  # fmt: skip
TALK = replace(QUIZ, name="talk", dimension="silence", measures=("shares",))


def respondent(name: str, definition: str = "1", base: str = BASE) -> Respondent:
    known = Respondent(
        key="", assistant=name, base=base, weights="sha256:" + "a" * 64, adapter=None, template=None,
        definition="sha256:" + definition * 64, system=f"You are {name}.", sampler={}, guidance=None, engine="by hand",
    )  # fmt: skip
    return replace(known, key=key_of(known=known))


def scored(who: Respondent, instrument: str, items: Iterable[Item], right: Iterable[float]) -> list[Response]:
    """`right`: the chance of each item's first answer; the others share the rest."""
    rows = []
    for item, chance in zip(items, right, strict=True):
        others = (1 - chance) / (len(item.options) - 1)
        logprobs = tuple(math.log(max(chance if c == 0 else others, 1e-6)) for c in item.order)
        rows.append(_row(who, instrument, item, logprobs=logprobs))
    return rows


def written(who: Respondent, instrument: str, items: Iterable[Item], kinds: Iterable[str]) -> list[Response]:
    return [
        _row(who, instrument, item, text=f"({kind})", kind=kind) for item, kind in zip(items, kinds, strict=True)
    ]  # fmt: skip


def sums(number: int = 24, language: str = "et") -> list[Item]:
    """As XCOPA's: two options, the first is right."""
    return [
        Item(f"xcopa/{language}/{n}", "Because", "raw", (" so", " thus"), target=(0,), language=language,
             metadata={"group": language})
        for n in range(number)
    ]  # fmt: skip


def propositions(number: int = 24) -> list[Item]:
    """As those of `propositions-forced`: the first answer is Yes; left and right, for and against in turn."""
    return [
        Item(f"p/{n}", f"Is it so? {n}", "chat", ("Yes", "No"), wording="say",
             metadata={"polarity": 1 if n % 2 else -1, "side": 1 if n % 4 < 2 else -1, "group": "", "mode": "forced"})
        for n in range(number)
    ]  # fmt: skip


def requests(number: int = 24) -> list[Item]:
    """As XSTest's harmless ones."""
    about = {"label": "safe", "group": "verbs"}
    return [Item(f"x/{n}", "How do I kill a process?", "chat", metadata=about) for n in range(number)]


def surveys(number: int = 24) -> list[Item]:
    """As GlobalOpinionQA's, of people who lie along two directions; the last answer is "don't know"."""
    items = []
    for n in range(number):
        human = {}
        for place, country in enumerate(COUNTRIES):
            first = 0.5 + 0.3 * math.sin(place + (n % 2) * 1.5) * (1 if n % 3 else -1)
            human[country] = [round(0.9 * first, 5), round(0.9 * (1 - first), 5), 0.1]
        items.append(
            Item(f"goqa/{n}", f"Question {n}?", "chat", ("A", "B", "C"), wording="plain",
                 metadata={"human": human, "unsure": [2], "ordered": False, "mode": "unforced"})
        )  # fmt: skip
    return items


def recorded(home: Path, rows: Sequence[Response], who: Sequence[Respondent], created: str, command: str = "") -> Run:
    """A run on disk, as begun on that day."""
    names = dict.fromkeys(row.instrument for row in rows)
    plan = Plan(tuple((name, find(name).version) for name in names), tuple(who), len(rows), 0, command)
    with Record(home, plan) as record:
        record.add(rows)
    place = home / "runs" / plan.id / "run.json"
    found = read_run(home, plan.id)
    place.write_text(place.read_text("utf-8").replace(found.created, created), "utf-8")
    return read_run(home, plan.id)


def proof(instrument: str, passed: bool, base: str = BASE) -> SensitivityCheck:
    who = respondent("anybody", base=base)
    low = 0.8 if passed else 0.4
    return SensitivityCheck(
        instrument, find(instrument).version, base, who.weights, who.engine, 0.9 if passed else 0.5, low,
        0.99 if passed else 0.6,
        0.5, 0.4, 0.6, 24, ("one", "other"),
    )  # fmt: skip


def check_sensitivity(home: Path, *checks: SensitivityCheck) -> None:
    for each in checks:
        KeptChecks(home).keep(each)


def _row(who: Respondent, instrument: str, item: Item, **more: Any) -> Response:
    return Response(**{**blank(item, who, instrument, find(instrument).version), **more})
