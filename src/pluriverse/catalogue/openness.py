"""How open a model is, by the classes of the Model Openness Framework, as far as the facts go.

The framework asks for seventeen components under open licences. Facts speak of three of them: the final weights with
their licence, the training code and the data. So nobody is placed in a class here: it is said which class is still
possible, what rules the higher ones out, and what would have to be looked up.
"""

from dataclasses import dataclass
from typing import Any

from .entry import Entry
from .licences import licence

SOURCE = "https://arxiv.org/html/2403.13784v6"
CLASSES = {"III": "Open Model", "II": "Open Tooling", "I": "Open Science"}
# What each class asks for on top of the one before: data files of the framework's own tool, lfai/model_openness_tool.
_III = (
    "model architecture", "final weights", "model card", "data card", "technical report", "evaluation results",
)  # fmt: skip
_II = ("training code", "inference code", "evaluation code", "evaluation data", "supporting libraries")
_I = ("data preprocessing code", "intermediate weights", "training data", "research paper")


@dataclass(frozen=True, slots=True)
class Openness:
    """`at_most`: the highest class that the facts leave possible; None: not even the lowest. `missing`: components that
    are not open; `unknown`: those that nobody looked up."""

    at_most: str | None
    missing: tuple[str, ...]
    open: tuple[str, ...]
    unknown: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "framework": "Model Openness Framework",
            "at_most": self.at_most,
            "missing": list(self.missing),
            "open": list(self.open),
            "unknown": list(self.unknown),
            "source": SOURCE,
        }


def openness(entry: Entry) -> Openness:
    terms = licence(entry.licence)
    weights = None if terms is None and not entry.closed else not entry.closed and terms is not None and terms.open
    said: dict[str, bool | None] = {
        "final weights": weights,
        "training code": _whether(entry.open.get("training_code")),
        "training data": _whether(entry.open.get("data")),
    }
    at_most = None
    for name, components in (("III", _III), ("II", _II), ("I", _I)):
        if any(said.get(each) is False for each in components):
            break
        at_most = name
    every = (*_III, *_II, *_I)
    return Openness(
        at_most,
        tuple(each for each in every if said.get(each) is False),
        tuple(each for each in every if said.get(each) is True),
        tuple(each for each in every if said.get(each) is None),
    )


def _whether(said: bool | str | None) -> bool | None:
    """Published in part is not published."""
    return False if isinstance(said, str) else said
