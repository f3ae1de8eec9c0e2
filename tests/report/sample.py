"""A made-up report: six assistants, ten instruments, long names, missing values. None of its numbers was measured."""

import random

from pluriverse.measure.results.parts import (
    Axis,
    Cluster,
    ConfusionTable,
    CorrectedRate,
    Ellipse,
    LeaderboardRow,
    Map,
    MapPoint,
    Reference,
    Report,
    SensitivityRow,
)
from pluriverse.measure.schema.figure import PANEL, Figure
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.responses import Respondent

ASSISTANTS = (
    "conservative",
    "eastern-historian",
    "history-from-below",
    "hispanohablante",
    "a-rather-long-name-that-somebody-gave-to-an-assistant",
    "social-democrat",
)
BASE = "sha256:" + "5e" * 32
COUNTRIES = (
    "Argentina", "Australia", "Bangladesh", "Brazil", "Canada", "China", "Egypt", "Ethiopia", "France", "Germany",
    "Greece", "India", "Indonesia", "Iran", "Iraq", "Italy", "Japan", "Jordan", "Kazakhstan", "Kenya", "Mexico",
    "Netherlands", "Nigeria", "Pakistan", "Peru", "Philippines", "Poland", "Romania", "Russia", "South Korea", "Spain",
    "Sweden", "Thailand", "Tunisia", "Turkey", "Ukraine", "United Kingdom", "United States", "Vietnam", "Zimbabwe",
)  # fmt: skip
# name, title, dimension, metric, chance, items
INSTRUMENTS = (
    ("mmlu", "MMLU, 57 subjects, 5 shots", "expertise", "accuracy", 0.25, 1140),
    ("truthfulqa", "TruthfulQA, mc2", "expertise", "mc2", None, 817),
    ("xcopa", "XCOPA: cause and effect in eleven languages", "language", "accuracy", 0.5, 500),
    ("blend", "BLEnD: everyday life in sixteen regions", "culture", "culture_match", None, 640),
    ("persona", "Persona statements", "values", "agreement", None, 400),
    ("globalopinionqa", "GlobalOpinionQA", "values", "human_similarity", None, 320),
    ("issues", "Issue prompts, free text", "politics", "praise", None, 212),
    ("history", "Contested events, told from different sides", "history", "lean", None, 24),
    ("speechmap", "Contested speech with matched targets", "silence", "refusal_asymmetry", None, 180),
    ("risk", "Harmful requests and their harmless twins", "risk", "compliance", None, 313),
)
SIGNED = {"praise", "lean", "refusal_asymmetry"}


def instruments() -> list[Instrument]:
    return [
        Instrument(
            name=name, title=title, dimension=dimension, version="1", loader=name, datasets=(name,), languages=("en",),
            licence="CC-BY-4.0", source=f"its makers, https://example.org/{name}", measures=(metric,),
            about="Made up for tests; it shows nothing about anybody.", chance=chance,
        )
        for name, title, dimension, metric, chance, _ in INSTRUMENTS
    ]  # fmt: skip


def figures(seed: int = 7) -> list[Figure]:
    dice = random.Random(seed)
    found = []
    for name, _, _, metric, _, items in INSTRUMENTS:
        for assistant in ASSISTANTS:
            found.append(_figure(dice, assistant, name, metric, items))
    found += _classes(dice)
    for assistant in ASSISTANTS:
        found.append(_figure(dice, assistant, "risk", "overrefusal", 250))
        found += [_figure(dice, assistant, "xcopa", "accuracy", 500, group) for group in ("et", "ht", "sw", "zh")]
        found += [_figure(dice, assistant, "mmlu", "accuracy", 20, f"subject {place}") for place in range(57)]
        found += [
            _figure(dice, assistant, "speechmap", "refusal_asymmetry", 45, each)
            for each in ("China", "US", "EU", "Russia")
        ]
    found += [
        Figure(PANEL, "globalopinionqa", "human_similarity", 0.581, 0.57, 0.59, 320, "answering by lot", "a bar"),
        Figure(PANEL, "globalopinionqa", "diversity", 0.21, 0.17, 0.26, 320),
        Figure(PANEL, "globalopinionqa", "diversity_share", 0.34, 0.29, 0.4, 320),
        Figure(PANEL, "globalopinionqa", "overton_coverage", 0.58, 0.52, 0.63, 320, caption="People in 38 countries."),
    ]
    few = Figure(
        "hispanohablante", "history", "lean", None, None, None, 4, caption="Too few items for a claim: 4 of 24."
    )
    return [few if (each.assistant, each.instrument) == ("hispanohablante", "history") else each for each in found]


def _figure(dice: random.Random, assistant: str, name: str, metric: str, items: int, group: str = "") -> Figure:
    value = dice.uniform(-0.6, 0.6) if metric in SIGNED else dice.uniform(0.2, 0.8)
    half = min(0.9 / items**0.5 * 1.2, 0.19)
    note = "Stopped early: the interval was narrow enough." if items > 600 and not group else ""
    return Figure(assistant, name, metric, value, value - half, value + half, items, group, note)


def _classes(dice: random.Random) -> list[Figure]:
    found = []
    for assistant in ASSISTANTS:
        weights = [dice.random() ** 2 * scale for scale in (6, 1, 1.5, 2, 0.6, 0.5)]
        for kind, weight in zip(
            ("answer", "hedge", "evasive", "refusal", "broken", "wrong_language"), weights, strict=True
        ):
            share = weight / sum(weights)
            found.append(Figure(assistant, "speechmap", f"share_{kind}", share, share * 0.9, share * 1.08, 720))
    return found


def the_map(seed: int = 3) -> Map:
    dice = random.Random(seed)
    people = [MapPoint(name, dice.gauss(0, 1.2), dice.gauss(0, 0.8), kind="people") for name in COUNTRIES]
    assistants = [
        MapPoint(
            name, dice.gauss(0.4, 0.35), dice.gauss(0.5, 0.3),
            Ellipse(dice.uniform(0.15, 0.4), 0.12, dice.uniform(0, 180)),
        )
        for name in ASSISTANTS
    ]  # fmt: skip
    axes = Axis("first axis", 0.31, ("duty", "choice")), Axis("second axis", 0.14, ("state", "market"))
    return Map("Values and politics", axes, [*people, *assistants], fitted="Fitted on people of 40 countries.")


def leaderboard() -> list[LeaderboardRow]:
    address = "archive of the leaderboard, https://example.org/archive.csv"
    return [
        LeaderboardRow("Smaug-72B-v0.1", "published", 80.48, (76.02, 89.27, 77.15, 76.67, 85.08, 78.70), address,
                       "Trained on pairs made of ARC and HellaSwag."),
        LeaderboardRow("Qwen-72B", "published", 73.60, (65.19, 85.94, 77.37, 60.19, 82.48, 70.43), address),
        LeaderboardRow("a model whose published average is wrong", "published", 60.0, (50.0,) * 6, address),
        LeaderboardRow("smollm2-135m-instruct", "measured here", 31.4, (30.1, 42.0, 25.6, 39.2, 50.1, 1.4),
                       "this report", "Every 20th item.", 29.9, 32.8),
        LeaderboardRow("half measured", "measured here", None, (30.1, None, 25.6, 39.2, 50.1, 1.4), "this report"),
    ]  # fmt: skip


def confusion() -> ConfusionTable:
    return ConfusionTable(
        title="XSTest",
        judge="rules, then three judges",
        classes=("answer", "evasive", "refusal"),
        counts=((412, 21, 7), (60, 101, 39), (4, 22, 334)),
        source="two human labels a row, https://example.org/xstest",
        verdict="Good enough for full refusals; not for evasion, of which it misses half.",
        corrected=[CorrectedRate(name, "refusal", 0.3, 0.34, 0.29, 0.39, 250) for name in ASSISTANTS[:3]],
    )


def respondents() -> list[Respondent]:
    return [
        Respondent(
            key=f"r{place}", assistant=name, base=BASE, weights=BASE, adapter=None, template="sha256:" + "0b" * 32,
            definition="sha256:" + f"{place}a" * 32,
            system="You speak for those who hold that\nwhat lasts has reasons.",
            sampler={"temperature": 0.7, "top_k": 40, "stop": ()},
            guidance={"strength": 1.5, "counterpart": "progressive"},
            engine="llama.cpp, local",
        )
        for place, name in enumerate(ASSISTANTS)
    ]  # fmt: skip


def sensitivity() -> list[SensitivityRow]:
    dice = random.Random(1)
    rows = []
    for name, *_ in INSTRUMENTS:
        middle = dice.uniform(0.66, 0.95)
        rows.append(SensitivityRow(name, BASE, middle, middle - 0.05, middle + 0.04, True))
    rows[4] = SensitivityRow(
        "persona", BASE, 0.503, 0.471, 0.535, False, "Forced yes or no: no to 99%, whatever the prompt."
    )
    return rows


def full() -> Report:
    return Report(
        title="Six voices on one small model",
        made="2026-11-24",
        assistants=ASSISTANTS,
        command="pluriverse report --with conservative,eastern-historian --seed 1",
        respondents=respondents(),
        instruments=instruments(),
        figures=figures(),
        references=[
            Reference("globalopinionqa", "human_similarity", "another country", 0.738),
            Reference("globalopinionqa", "human_similarity", "modal", 0.477),
            Reference("globalopinionqa", "human_similarity", "people, perfect", 1.0),
        ],
        clusters=[
            Cluster("mmlu", "accuracy", ASSISTANTS[:3]),
            Cluster("globalopinionqa", "human_similarity", ASSISTANTS[1:4]),
            Cluster("globalopinionqa", "human_similarity", ASSISTANTS[3:]),
            Cluster("persona", "agreement", ASSISTANTS),
        ],
        sensitivity=sensitivity(),
        maps=[the_map()],
        leaderboard=leaderboard(),
        confusions=[confusion()],
        notes=["Data: GlobalOpinionQA, https://example.org/globalopinionqa, CC-BY-NC-SA-4.0."],
    )
