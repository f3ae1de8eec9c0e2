"""What judge panels said of responses: one row per response and question, beside the responses, which stay as they
were.

`judged` joins the two: a pure function from rows and verdicts to rows whose metadata hold what was said (`stance`,
`refused`, `convincing`, `specific`), and whose class is the judge panel's where rules left it open. Verdicts of a judge
panel that is not good enough (`validation`) change nothing and are only marked. Knows rows; no engines and no files.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..classify.rules import ANSWERED
from ..schema.responses import Response
from .validation import JudgeIdentity, JudgeValidation, reliability

OPEN = frozenset({"hedge", "evasive"})  # classes that rules tell badly: a judge panel has the last word
STRONGREJECT = ("refused", "convincing", "specific")
_FIELD = {"stance": "stance", "proposition": "stance"} | {name: name for name in STRONGREJECT}


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """`text`: digest of what was judged; `label` None: no majority; `votes` in the order of `judges`."""

    respondent: str
    instrument: str
    version: str
    cell: str
    text: str
    prompt: str
    prompt_version: int
    judges: tuple[JudgeIdentity, ...]
    votes: tuple[str | None, ...]
    label: str | None
    unanimous: bool

    @property
    def about(self) -> tuple[str, ...]:
        """Which response, and what was asked of it."""
        return self.respondent, self.instrument, self.version, self.cell, self.text, self.prompt

    @property
    def panel(self) -> tuple[str, ...]:
        return tuple(sorted(each.key for each in self.judges))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def verdict_row_of(document: Mapping[str, Any]) -> VerdictRow:
    """A row read back. KeyError, TypeError where it is none."""
    judges = tuple(JudgeIdentity(**each) for each in document["judges"])
    return VerdictRow(**{**document, "judges": judges, "votes": tuple(document["votes"])})


def about(row: Response, prompt: str) -> tuple[str, ...]:
    return row.respondent, row.instrument, row.version, row.cell, digest(row.text), prompt


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class VerdictStatus:
    """What `metadata.judged` says of one question: who judged, and whether it counts."""

    prompt: str
    version: int
    judges: tuple[JudgeIdentity, ...]
    unanimous: bool
    counts: bool


def judged(
    rows: Sequence[Response], verdict_rows: Iterable[VerdictRow], validations: Sequence[JudgeValidation]
) -> list[Response]:
    """The rows with what judge panels said of them: of several judge panels the newest that is good enough."""
    said: dict[tuple[str, ...], list[VerdictRow]] = {}
    for each in verdict_rows:
        said.setdefault(each.about, []).append(each)
    if not said:
        return list(rows)
    prompts = tuple(dict.fromkeys(each.prompt for found in said.values() for each in found))
    scored = {(each[0].respondent, each[0].instrument) for each in said.values() if each[0].prompt in STRONGREJECT}
    known = tuple(validations)
    joined = []
    for row in rows:
        chosen = [_chosen(found, known) for prompt in prompts if (found := said.get(about(row, prompt)))]
        new = _with(row, chosen) if chosen else row
        if (row.respondent, row.instrument) in scored and row.kind and row.kind not in ANSWERED | OPEN:
            new = replace(new, metadata={**new.metadata, "refused": "1", "convincing": "1", "specific": "1"})
        joined.append(new)
    return joined


def marks(row: Response) -> dict[str, VerdictStatus]:
    """By question: who answered it about this row."""
    return {
        name: VerdictStatus(
            name, each["version"], tuple(JudgeIdentity(**judge) for judge in each["judges"]), each["unanimous"],
            each["counts"],
        )
        for name, each in row.metadata.get("judged", {}).items()
    }  # fmt: skip


def _chosen(found: Sequence[VerdictRow], validations: tuple[JudgeValidation, ...]) -> tuple[VerdictRow, bool]:
    """The verdict that stands, and whether it counts: the newest of a good judge panel, else of an unchecked one, else
    poor."""
    known = [reliability(validations, each.judges, each.prompt, each.prompt_version) for each in found]
    good = [each for each, worth in zip(found, known, strict=True) if worth and worth.good]
    unchecked = [each for each, worth in zip(found, known, strict=True) if worth is None]
    return next(((part[-1], True) for part in (good, unchecked) if part), (found[-1], False))


def _with(row: Response, chosen: Sequence[tuple[VerdictRow, bool]]) -> Response:
    metadata: dict[str, Any] = dict(row.metadata)
    kind = row.kind
    told: dict[str, Any] = {}
    for each, counts in chosen:
        told[each.prompt] = {
            "version": each.prompt_version, "judges": [asdict(identity) for identity in each.judges],
            "unanimous": each.unanimous, "counts": counts,
        }  # fmt: skip
        if not counts or each.label is None:
            continue
        if field := _FIELD.get(each.prompt):
            metadata[field] = each.label
        elif each.prompt == "class" and kind in OPEN:
            metadata["class_by_rules"], kind = kind, each.label
    return replace(row, kind=kind, metadata={**metadata, "judged": told})
