"""What came back: one row per response, with all that any measure needs, so that re-scoring never asks again.

Knows rows; no engine, no file (`record` keeps them) and no statistics.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .items import Item
from .recital import MOST_RECITAL, recital


@dataclass(frozen=True, slots=True)
class Respondent:
    """Who answers, by content: what must be the same for a row to be somebody's answer again.

    `key` names it in rows; `system` is its system prompt; `sampler` (what items do not set) and `guidance` are as they
    held when it was asked. `identity` is the engine's, and whether it `may_change`; rows of before have none, and it is
    no part of what is printed, of which keys are made.
    """

    key: str
    assistant: str
    base: str
    weights: str | None  # digest
    adapter: str | None  # digest
    template: str | None  # digest of the chat template
    definition: str  # digest of the assistant's file in canonical form
    system: str
    sampler: Mapping[str, Any]
    guidance: Mapping[str, Any] | None
    engine: str  # which library or endpoint computed, in words
    identity: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def may_change(self) -> bool:
        """Whether something else may answer tomorrow under the same name: the weights are not known."""
        return bool(self.identity and self.identity.get("may_change"))


@dataclass(frozen=True, slots=True)
class Response:
    """`logprobs`: natural log, one total per option as listed; `options`: their texts, so that rows can be read by
    themselves (none in rows of before); `lengths`: characters of each option; `kind`: the class of a text (answer,
    hedge, evasive, refusal, broken, wrong_language), empty for scored options; `thinking`: what was written before the
    answer, never part of `text`; `unfinished`: it ended before its thinking did, and counts nowhere;
    `own_prompt`: the system prompt of who answered, which the run has once and rows are not written with."""

    respondent: str
    assistant: str
    instrument: str
    version: str
    item: str
    wording: str
    rotation: int
    language: str
    draw: int
    target: tuple[Any, ...] = ()
    contents: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    lengths: tuple[int, ...] = ()
    options: tuple[str, ...] = ()
    text: str = ""
    kind: str = ""
    finish_reason: str = ""
    prompt: str = ""
    seed: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    thinking: str = ""
    unfinished: bool = False
    own_prompt: str = field(default="", compare=False)

    @property
    def recital(self) -> float:
        """Share of a text's word groups that stand in the own prompt; 0 where there is no text or no prompt."""
        return recital(self.text, self.own_prompt) if self.kind and self.own_prompt else 0.0

    @property
    def recites(self) -> bool:
        """Whether so much of it is its own prompt that it is marked."""
        return self.recital > MOST_RECITAL

    @property
    def cell(self) -> str:
        return "|".join((self.item, self.wording, str(self.rotation), self.language, str(self.draw)))

    def as_dict(self) -> dict[str, Any]:
        """As it is written: a text that recites its own prompt says so in its metadata."""
        told = {"recital": round(self.recital, 3)} if self.recites else {}
        document = {**asdict(self), "metadata": {**self.metadata, **told}}
        return {name: document[name] for name in WRITTEN}


WRITTEN = tuple(each.name for each in fields(Response) if each.name != "own_prompt")
_TUPLES = {"target", "contents", "logprobs", "lengths", "options"}
_NAMES = set(WRITTEN)
_KINDS: dict[str, Any] = {
    **dict.fromkeys(_NAMES, str),
    **dict.fromkeys(_TUPLES, (list, tuple)),
    **dict.fromkeys(("rotation", "draw", "prompt_tokens", "completion_tokens"), int),
    "seed": (int, type(None)),
    "seconds": (int, float),
    "metadata": dict,
    "unfinished": bool,
}


_ABOUT: dict[str, Any] = {  # what measures read of metadata, where it is there
    **dict.fromkeys(("polarity", "side", "key"), int), **dict.fromkeys(("unsure", "lengths"), list),
    **dict.fromkeys(("human", "judged"), dict),
    **dict.fromkeys(("group", "framing", "label", "mode", "country", "statement", "proposition", "stance"), str),
}  # fmt: skip
_OF_RESPONDENT: dict[str, Any] = {
    **dict.fromkeys((each.name for each in fields(Respondent)), str),
    **dict.fromkeys(("weights", "adapter", "template"), (str, type(None))),
    "sampler": dict,
    "guidance": (dict, type(None)),
    "identity": (dict, type(None)),
}


def respondent_of(document: Mapping[str, Any]) -> Respondent:
    """A respondent read back. TypeError, KeyError where it is none."""
    document = {"identity": None, **document}
    for name, kind in _OF_RESPONDENT.items():
        if not isinstance(document[name], kind):
            raise TypeError(f"{name} is {document[name]!r:.40}")
    return Respondent(**document)


def response_of(document: Mapping[str, Any], prompts: Mapping[str, str] | None = None) -> Response:
    """A row read back. ValueError, TypeError where it is none; unknown fields of later versions are left out.
    `prompts`: the system prompts of respondents, by key."""
    known: dict[str, Any] = {name: value for name, value in document.items() if name in _NAMES}
    for name, value in known.items():
        if not isinstance(value, _KINDS[name]) or (isinstance(value, bool) and _KINDS[name] is not bool):
            raise TypeError(f"{name} is {value!r:.40}")
    known |= {name: tuple(known[name]) for name in _TUPLES if name in known}
    for name, value in known.get("metadata", {}).items():
        if name in _ABOUT and not isinstance(value, _ABOUT[name]):
            raise TypeError(f"its metadata say {name} is {value!r:.40}")
    if not all(isinstance(each, (int, float)) and each < math.inf for each in known.get("logprobs", ())):
        raise ValueError("a log-probability is no number")
    if not all(isinstance(each, str) for each in known.get("options", ())):
        raise TypeError("an option is no text")
    if (options := len(known.get("logprobs", ()))) and sorted(known.get("contents", ())) != list(range(options)):
        raise ValueError(f"its {options} log-probabilities are of other options than its contents")
    return Response(**known, own_prompt=(prompts or {}).get(known["respondent"], ""))


def blank(item: Item, respondent: Respondent, instrument: str, version: str, draw: int = 0) -> dict[str, Any]:
    """The fields of a response that are known before anybody answered."""
    return {
        "respondent": respondent.key,
        "assistant": respondent.assistant,
        "instrument": instrument,
        "version": version,
        "item": item.id,
        "wording": item.wording,
        "rotation": item.rotation,
        "language": item.language,
        "draw": draw,
        "target": tuple(item.target),
        "contents": item.order,
        "lengths": tuple(len(option) for option in item.options),
        "options": _told(item),
        "prompt": item.prompt,
        "metadata": dict(item.metadata),
        "own_prompt": respondent.system,
    }


def _told(item: Item) -> tuple[str, ...]:
    """The options as a reader tells them apart: where prompts differ, from the word on at which they do."""
    if not item.prompts:
        return item.options
    letters = zip(*item.prompts, strict=False)
    alike = next((place for place, each in enumerate(letters) if len(set(each)) > 1), min(map(len, item.prompts)))
    start = max(item.prompts[0].rfind(gap, 0, alike) for gap in " \n") + 1
    return tuple(f"{prompt[start:]}{option}" for prompt, option in zip(item.prompts, item.options, strict=True))


def by_assistant(responses: Sequence[Response]) -> dict[str, list[Response]]:
    """In the order in which they first appear."""
    found: dict[str, list[Response]] = {}
    for response in responses:
        found.setdefault(response.assistant, []).append(response)
    return found


def by_item(responses: Sequence[Response]) -> dict[str, list[Response]]:
    found: dict[str, list[Response]] = {}
    for response in responses:
        found.setdefault(response.item, []).append(response)
    return found
