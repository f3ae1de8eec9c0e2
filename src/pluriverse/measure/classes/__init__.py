"""What kind of response it is and which side it takes: rules first, then a jury; and how both do on known labels."""

from .gold import ConfusionMatrix, GoldRow, by_assistant, confusion, gold
from .jury import Case, Judge, Judged, Jury, Verdict, Vote, majority
from .prompts import JudgePrompt, judge_prompt, judge_prompts, strongreject
from .rules import KINDS, Classified, Kind, classify
from .stance import Declared, Leaning, Side, declared, leaning

__all__ = [
    "KINDS",
    "Case",
    "Classified",
    "ConfusionMatrix",
    "Declared",
    "GoldRow",
    "Judge",
    "JudgePrompt",
    "Judged",
    "Jury",
    "Kind",
    "Leaning",
    "Side",
    "Verdict",
    "Vote",
    "by_assistant",
    "classify",
    "confusion",
    "declared",
    "gold",
    "judge_prompt",
    "judge_prompts",
    "leaning",
    "majority",
    "strongreject",
]
