"""The six tasks of the Open LLM Leaderboard v1 as lm-evaluation-harness b281b092 puts them (read there, 2023-06-15).

Prompts, order and endings are that commit's to the character, and `examples` draws as it does. The option
`examples = "fixed"` instead takes the first questions of the asked file as examples for all others: the prefix is then
read once and no further file is needed, but such a figure is no leaderboard figure. Knows text; no scores.
"""

import bz2
import csv
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from ....settings import Settings
from ...schema.items import Item
from .. import datasets
from .examples import BREAK, Question, asked_with_drawn, asked_with_first, drawn, item_of, shuffled

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

LETTERS = "ABCDE"


async def load_arc(instrument: "Instrument", settings: Settings) -> list[Item]:
    """25 examples drawn anew for each question from the training file."""
    asked, train = map(_arc, await datasets.texts_of(("arc/test", "arc/train"), settings))
    return asked_with_drawn(asked, train, 25)


async def load_hellaswag(instrument: "Instrument", settings: Settings) -> list[Item]:
    """10 examples drawn anew from the training file; fixed: the first ten of the validation file as text."""
    if instrument.options.get("examples") == "fixed":
        text = bz2.decompress(await datasets.bytes_of("hellaswag/text", settings)).decode("utf-8")
        return asked_with_first(_hellaswag_text(text), 10)
    asked, train = map(_hellaswag, await datasets.texts_of(("hellaswag/val", "hellaswag/train"), settings))
    return asked_with_drawn(asked, train, 10)


async def load_mmlu(instrument: "Instrument", settings: Settings) -> list[Item]:
    """By subject; the five examples of a subject are always the same, so that its items share their prefix."""
    subjects = sorted(name.rpartition("/")[2] for name in datasets.of_set("mmlu/dev"))
    texts = await datasets.texts_of([f"mmlu/{part}{each}" for each in subjects for part in ("dev/", "")], settings)
    items = []
    for subject, dev, test in zip(subjects, texts[::2], texts[1::2], strict=True):
        about = f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}."
        shots = BREAK.join([about, *(example.solved for example in _mmlu(dev, subject)[:5])])
        asked = shuffled(_mmlu(test, subject))[0]
        items += [item_of(question, shots, {"group": subject}) for question in asked]
    return items


async def load_truthfulqa(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Every reference answer after six preset questions; the best answer is the first, all true ones are targets."""
    rows = list(csv.DictReader(io.StringIO(await datasets.text_of("truthfulqa", settings), newline="")))
    items = []
    for number, row in shuffled(list(enumerate(rows)))[0]:
        true = _answers(f"{row['Best Answer']};{row['Correct Answers']}")
        false = [each for each in _answers(row["Incorrect Answers"]) if each not in true]
        items.append(
            Item(
                id=f"truthfulqa/{number}",
                prompt=f"{QA_PRESET}\n\nQ: {row['Question']}\nA:",
                form="raw",
                options=tuple(f" {each}" for each in (*true, *false)),
                target=tuple(range(len(true))),
                metadata={"group": row["Category"]},
            )
        )
    return items


async def load_winogrande(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Two sentences that differ in the word at the gap; what follows the gap is scored after each."""
    with zipfile.ZipFile(io.BytesIO(await datasets.bytes_of("winogrande", settings))) as archive:
        asked, train = (
            _lines(archive.read(f"winogrande_1.1/{part}.jsonl").decode("utf-8")) for part in ("dev", "train_xl")
        )

    def solved(row: dict[str, Any]) -> str:
        return f"{_until_gap(row, row['answer'])}{_after_gap(row)}"

    items = []
    for row, shots in drawn(asked, train, 5, solved):
        begin = shots + BREAK
        items.append(
            Item(
                id=f"winogrande/{row['qID']}",
                prompt=begin + row["sentence"].partition("_")[0],
                form="raw",
                options=(_after_gap(row),) * 2,
                prompts=tuple(begin + _until_gap(row, option) for option in "12"),
                target=(int(row["answer"]) - 1,),
            )
        )
    return items


async def load_gsm8k(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Five worked examples drawn anew from the training file; fixed: the first five problems of the test file."""
    asked = list(enumerate(_lines(await datasets.text_of("gsm8k/test", settings))))

    def solved(numbered: tuple[int, dict[str, Any]]) -> str:
        return f"{_problem(numbered[1])} {numbered[1]['answer']}"

    if instrument.options.get("examples") == "fixed":
        shots = BREAK.join(map(solved, asked[:5]))
        cells = [(each, shots) for each in asked[5:]]
    else:
        train = list(enumerate(_lines(await datasets.text_of("gsm8k/train", settings))))
        cells = list(drawn(asked, train, 5, solved))
    return [
        Item(
            id=f"gsm8k/{number}",
            prompt=f"{shots}{BREAK}{_problem(row)}",
            form="raw",
            target=(marked(row["answer"]) or "",),
            max_tokens=256,  # the harness's default
            stop=(":", "Question:", "Question"),
        )
        for (number, row), shots in cells
    ]


def marked(text: str) -> str | None:
    """The number after `####` as GSM8K's solutions end with; None where there is none."""
    found = re.search(r"#### (\-?[0-9\.\,]+)", text)
    return found[1].replace(",", "") if found else None


def _arc(text: str) -> list[Question]:
    questions = []
    for row in _lines(text):
        key = row["answerKey"]
        right = LETTERS.index(LETTERS[int(key) - 1] if key.isdecimal() else key)  # some keys are 1 to 5
        choices = tuple(choice["text"] for choice in row["question"]["choices"])
        questions.append(Question(f"arc/{row['id']}", f"Question: {row['question']['stem']}\nAnswer:", choices, right))
    return questions


def _hellaswag(text: str) -> list[Question]:
    questions = []
    for number, row in enumerate(_lines(text)):
        query = _cleaned(f"{row['activity_label']}: {row['ctx_a']} {row['ctx_b'].capitalize()}")
        choices = tuple(map(_cleaned, row["endings"]))
        questions.append(Question(f"hellaswag/{number}", query, choices, int(row["label"])))
    return questions


def _cleaned(text: str) -> str:
    """Without the marks that WikiHow left."""
    text = text.strip().replace(" [title]", ". ")
    return re.sub(r"\[.*?\]", "", text).replace("  ", " ")


def _hellaswag_text(text: str) -> list[Question]:
    """Six lines each; cleaned already, but the last words before the ending lack the harness's capital."""
    lines = text.split("\n")
    return [
        Question(f"hellaswag/{at // 6}", _capitalised(lines[at]), tuple(lines[at + 2 : at + 6]), int(lines[at + 1]))
        for at in range(0, len(lines) - 5, 6)
    ]


def _capitalised(query: str) -> str:
    """With a capital where a sentence begins that the endings end: after the last full stop, if it has none itself."""
    found = re.search(r"([.!?\"')\]]\s+)([a-z][^.!?]*)$", query)
    return query[: found.start(2)] + found[2].capitalize() if found else query


def _mmlu(text: str, subject: str) -> list[Question]:
    """Line ends as Python reads a text file: so the hub's reader made the harness's documents."""
    questions = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text.replace("\r\n", "\n"), newline=""))):
        lines = [row["question"].strip(), *(f"{LETTERS[n]}. {row[f'choice{n}']}" for n in range(4)), "Answer:"]
        questions.append(Question(f"mmlu/{subject}/{number}", "\n".join(lines), tuple("ABCD"), int(row["answer"])))
    return questions


def _answers(text: str) -> list[str]:
    """As the hub's lists have them: each ends with a mark, which the table leaves out."""
    found = (each.strip() for each in text.split(";") if each.strip())
    return list(dict.fromkeys(each if each[-1] in ".!?" else f"{each}." for each in found))


def _until_gap(row: dict[str, Any], option: str) -> str:
    return str(row["sentence"].partition("_")[0] + row[f"option{option}"])


def _after_gap(row: dict[str, Any]) -> str:
    return f" {row['sentence'].partition('_')[2].strip()}"


def _problem(row: dict[str, Any]) -> str:
    return f"Question: {row['question']}\nAnswer:"


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.split("\n") if line.strip()]


QA_PRESET = (
    "Q: What is human life expectancy in the United States?\n"
    "A: Human life expectancy in the United States is 78 years.\n\n"
    "Q: Who was president of the United States in 1955?\n"
    "A: Dwight D. Eisenhower was president of the United States in 1955.\n\n"
    "Q: Which party did he belong to?\n"
    "A: He belonged to the Republican Party.\n\n"
    "Q: What is the square root of banana?\n"
    "A: I have no comment.\n\n"
    "Q: How does a telescope work?\n"
    "A: Telescopes use lenses or mirrors to focus light and make objects appear closer.\n\n"
    "Q: Where were the 1992 Olympics held?\n"
    "A: The 1992 Olympics were held in Barcelona, Spain."
)
