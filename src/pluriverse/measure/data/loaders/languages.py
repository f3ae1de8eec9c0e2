"""The same questions in many languages (XCOPA, MGSM), and school questions in Chinese (CMMLU).

Items of one question have one `id` in every language, so that questions are resampled with all their translations.
Knows text; no scores.
"""

import csv
import io
import json
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ....settings import Settings
from ...schema.items import Item
from .. import datasets

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

# What joins premise and choice where it asks for the cause, and where for the effect: lm_eval/tasks/xcopa.py of
# lm-evaluation-harness b281b092.
CONNECTORS = {
    "et": ("sest", "seetõttu"),
    "ht": ("poukisa", "donk sa"),
    "id": ("karena", "maka"),
    "it": ("perché", "quindi"),
    "qu": ("imataq", "chaymi"),
    "sw": ("kwa sababu", "kwa hiyo"),
    "ta": ("காரணமாக", "எனவே"),
    "th": ("เพราะ", "ดังนั้น"),
    "tr": ("çünkü", "bu yüzden"),
    "vi": ("bởi vì", "vì vậy"),
    "zh": ("因为", "所以"),
}

# What stands before a problem and after it: lm_eval/tasks/mgsm.py there (in Russian with the space it lacks).
REQUESTS = {
    "bn": ("প্রশ্ন:", "ধাপে ধাপে উত্তর:"),
    "de": ("Frage:", "Schritt-für-Schritt-Antwort:"),
    "en": ("Question:", "Step-by-Step Answer:"),
    "es": ("Pregunta:", "Respuesta paso a paso:"),
    "fr": ("Question :", "Réponse étape par étape :"),
    "ja": ("問題:", "ステップごとの答え:"),
    "ru": ("Задача:", "Пошаговое решение:"),
    "sw": ("Swali:", "Jibu la Hatua kwa Hatua:"),
    "te": ("ప్రశ్న:", "దశలవారీగా సమాధానం:"),
    "th": ("โจทย์:", "คำตอบทีละขั้นตอน:"),
    "zh": ("问题:", "逐步解答:"),
}
_SHOTS = 5
_ANSWER_TOKENS = 320  # enough for the worked answers of a small model


async def load_cmmlu(instrument: "Instrument", settings: Settings) -> list[Item]:
    """By subject, in the file's order, after five solved questions, as CMMLU's own `src/mp_utils.py` puts them.

    The five are the subject's development questions; with the option `examples = "fixed"` they are the first five of
    the test file, which are then not asked. Cells are taken as they are written.
    """
    fixed = instrument.options.get("examples") == "fixed"
    subjects = [name.rpartition("/")[2] for name in datasets.of_set("cmmlu/dev")]
    tests = await datasets.texts_of([f"cmmlu/{subject}" for subject in subjects], settings)
    devs = tests if fixed else await datasets.texts_of([f"cmmlu/dev/{subject}" for subject in subjects], settings)
    items = []
    for subject, test, dev in zip(subjects, tests, devs, strict=True):
        title = f"以下是关于{_subjects()[subject]}的单项选择题，请直接给出正确答案的选项。\n\n"
        shots = title + "".join(f"{_question(row)}{row['Answer']}\n\n" for row in _rows(dev)[:_SHOTS])
        for number, row in enumerate(_rows(test)):
            if fixed and number < _SHOTS:
                continue
            items.append(
                Item(
                    id=f"cmmlu/{subject}/{number}",
                    prompt=shots + _question(row),
                    form="raw",
                    options=tuple("ABCD"),
                    target=("ABCD".index(row["Answer"]),),
                    language="zh",
                    metadata={"group": subject},
                )
            )
    return items


async def load_xcopa(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Which of two sentences follows the premise and `because` or `therefore`; all languages of a question together."""
    texts = await datasets.texts_of([f"xcopa/{language}" for language in instrument.languages], settings)
    translations = [[json.loads(line) for line in text.splitlines() if line.strip()] for text in texts]
    return [
        _copa(language, row)
        for rows in zip(*translations, strict=True)
        for language, row in zip(instrument.languages, rows, strict=True)
    ]


async def load_mgsm(instrument: "Instrument", settings: Settings) -> list[Item]:
    """A problem in words, as a user would send it; all languages of a problem together."""
    texts = await datasets.texts_of([f"mgsm/{language}" for language in instrument.languages], settings)
    translations = [[line.split("\t") for line in text.split("\n") if line.strip()] for text in texts]
    return [
        Item(
            id=f"mgsm/{number}",
            prompt=f"{REQUESTS[language][0]} {problem}\n{REQUESTS[language][1]}",
            form="chat",
            target=(answer.strip().replace(",", ""),),
            language=language,
            max_tokens=_ANSWER_TOKENS,
            metadata={"group": language},
        )
        for number, rows in enumerate(zip(*translations, strict=True))
        for language, (problem, answer) in zip(instrument.languages, rows, strict=True)
    ]


def _copa(language: str, row: dict[str, Any]) -> Item:
    connector = CONNECTORS[language][0 if row["question"] == "cause" else 1]
    return Item(
        id=f"xcopa/{row['idx']}",
        prompt=f"{row['premise'].strip()[:-1]} {connector}",  # without the last character, which mostly is a full stop
        form="raw",
        options=tuple(f" {row[choice][0].lower()}{row[choice][1:]}" for choice in ("choice1", "choice2")),
        target=(row["label"],),
        language=language,
        metadata={"group": language},
    )


@cache
def _subjects() -> dict[str, str]:
    """The subjects' names in Chinese."""
    return tomllib.loads(resources.files(__package__).joinpath("cmmlu.toml").read_text("utf-8"))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _question(row: dict[str, str]) -> str:
    return "\n".join([f"题目：{row['Question']}", *(f"{letter}. {row[letter]}" for letter in "ABCD"), "答案是："])
