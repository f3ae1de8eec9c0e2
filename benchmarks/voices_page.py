"""The page docs/voices.md from what benchmarks/voices.py has measured.

python benchmarks/voices_page.py voices.json > docs/voices.md

What was asked of `standard` and `better` was written down once, in voices_on_larger.md, and is taken over as it stands.
"""

import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = (
    *("pair", "(a) prompt", "(a) guided", "(b) prompt", "(b) guided", "perplexity, prompt", "perplexity, guided"),
    *("repeated 4-grams, prompt and guided", "language, guided"),
)
HEAD = """\
# How far the starter assistants differ

Measured on the model `small` with `benchmarks/voices.py`: {questions} held-out questions per pair, {seeds} seeds, 48
tokens an answer. Each assistant answers twice: by its prompt alone, and guided as its file says.
[guidance.md](guidance.md) explains the judges. In brackets: 95 % intervals, from resampling the questions.

- **Judge (a)** was trained on statements of people on each side and nothing else. The figure is the gap between its
  mean probabilities for the two assistants, 0 to 1. It exists for three pairs.
- **Judge (b)** is the base itself, told of both sides: 1 = always told apart, 0.5 = never. It is partly circular,
  since guidance maximises nearly what it reads.
- **Perplexity** is measured with the plain base, as a multiple of that of its own answers to the same questions: one
  number for each assistant. The aim is at most 1.6.
- **Language**: share of answers in the language they should be in.

"""
SAMPLES = """
## Samples

Every eighth question, the first seed, cut at 48 tokens; nothing was hand-picked. Facts in them are often wrong: a
base of 135 million parameters knows little, and to differ is not to know.
"""


def figure(given: dict[str, Any] | None) -> str:
    return f"{given['value']:.2f} ({given['low']:.2f} to {given['high']:.2f})" if given else "-"


def both(numbers: list[float], form: str = ".2f") -> str:
    return ", ".join(format(number, form) for number in numbers)


def row(measured: dict[str, Any]) -> str:
    prompted, guided = measured["prompted"], measured["guided"]
    cells = (
        f"`{measured['pair'][0]}`, `{measured['pair'][1]}`",
        figure(prompted["persona_gap"]),
        figure(guided["persona_gap"]),
        figure(prompted["sides_auc"]),
        figure(guided["sides_auc"]),
        both(prompted["perplexity_ratio"]),
        both(guided["perplexity_ratio"]),
        f"{prompted['repetition']:.3f}, {guided['repetition']:.3f}",
        both(guided["language"], ".0%"),
    )
    return f"| {' | '.join(cells)} |"


def samples(measured: dict[str, Any]) -> list[str]:
    a, b = measured["pair"]
    lines = [f"\n### {a} and {b}"]
    for sample in measured["guided"]["samples"]:
        lines.append(f"\n*{sample['question']}*\n")
        lines += [f"- **{name}**: {' '.join(sample[name].split())}" for name in (a, b)]
    return lines


def main() -> None:
    rows = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print(HEAD.format(questions=rows[0]["questions"], seeds=rows[0]["seeds"]), end="")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    print("\n".join(map(row, rows)))
    print((Path(__file__).parent / "voices_on_larger.md").read_text("utf-8"), end="")
    print(SAMPLES, end="")
    print("\n".join(line for each in rows for line in samples(each)))


if __name__ == "__main__":
    main()
