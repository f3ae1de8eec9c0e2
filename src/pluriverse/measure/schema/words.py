"""Reasons in words, the only place where they are: what people read and nothing decides on.

    words_of(reason) -> str      each kind of reason and remark has one line or two here

Knows reasons; no figures.
"""

from collections.abc import Callable
from typing import Any

from .reasons import (
    ByRules,
    CheckOutcome,
    CorrectedBy,
    DoesNotJudge,
    FewItems,
    InstrumentSkipped,
    Judged,
    JudgesOutcome,
    LabelsUsed,
    NoControl,
    NoLabels,
    NotAsked,
    NotChecked,
    Notice,
    NotMeasurable,
    NotPassed,
    PoorJudges,
    PoorPanels,
    RanOff,
    Reason,
    Recites,
    Remark,
    SameWeights,
    Steered,
    StoppedEarly,
    Tested,
    TooFew,
    Unfinished,
    Unpaired,
    Without,
    WorkerLost,
)

UNCHECKED = "these judges were not checked against people's labels here"
_OTHERS = "the labelled texts are of other assistants, whose errors vary as the interval does"
_WHOSE = {"rules": "the rules'", "judges": "the judges'", "rules and judges": "the rules' and judges'"}


def words_of(each: Reason | Remark | Notice) -> str:
    return _WORDS[type(each)](each)


def corrected(by: CorrectedBy) -> str:
    """What stands with a rate that is corrected for known errors."""
    return f"corrected for {_WHOSE[by]} known errors; {_OTHERS}"


def check(found: CheckOutcome) -> str:
    """Of a sensitivity check, without its numbers."""
    if found.verdict == "apart":
        return "it tells known opposites apart on this base"
    if found.verdict == "no_difference":
        if found.reversed:
            return "on this base it takes known opposites for each other"
        return f"known opposites do not differ by it on this base beyond a margin of {found.margin:g}"
    if found.more is None:
        return "it tells a voice from itself on this base, so differences mean nothing"
    total = found.asked + found.more
    ask = f", ask about {found.more} more" + (f": --check-items {total}" if found.has else ", which it does not have")
    if found.items < found.least:
        return f"undecided: only {found.items} items had a valid answer from both opposites{ask}"
    return f"undecided whether it tells known opposites apart on this base{ask}"


def check_told(found: CheckOutcome) -> str:
    """With its numbers, where there are any."""
    if found.items < found.least:
        return check(found)
    return f"{check(found)}: separation {found.separation:.2f} ({found.low:.2f} to {found.high:.2f})"


def judges(found: JudgesOutcome) -> str:
    one = "this judge is" if len(found.names) == 1 else "these judges are"
    right = (
        f"{', '.join(found.names)} right on {found.value:.0%} ({found.low:.0%} to {found.high:.0%}) of"
        f" {found.texts} texts with people's labels, each label weighing the same; guessing is right on"
        f" {found.chance:.0%}"
    )
    return f"{one} {'good enough' if found.good else 'not good enough'} here: {right}"


def ran_off(each: RanOff) -> str:
    if each.guard == "language":
        return f"{each.amount:.0%} of its answers are in another language"
    if each.guard == "perplexity":
        return f"its perplexity is {each.amount:.1f} times that of the base's own answers"
    if each.guard == "recital":
        return f"{each.amount:.0%} of what it says stands in its own prompt"
    return f"{each.amount:.0%} of its word groups repeat earlier ones"


def _not_passed(each: NotPassed) -> str:
    return check_told(each.found) if each.found else "it did not pass its sensitivity check on this model"


def _too_few(each: TooFew) -> str:
    if each.common:
        return f"{each.items} items in common say nothing yet: ask both at least {each.least}"
    return f"{each.items} items say nothing yet: ask at least {each.least}"


def _poor_judges(each: PoorJudges) -> str:
    return f"{judges(each.found) if each.found else UNCHECKED} (asked for {each.question})"


def _not_checked(each: NotChecked) -> str:
    what = "all controls tell" if each.controls else "it tells"
    return f"whether {what} known opposites apart on this model was not checked"


def _recites(each: Recites) -> str:
    whose = f"{each.responses} responses of both" if each.of is None else f"{each.responses} of {each.of} responses"
    return f"{whose} recite the prompt of who gave them"


def _judged(each: Judged) -> str:
    words = f"{each.question} of {each.texts} texts by {', '.join(each.judges)}"
    if each.unanimous is not None:
        words += f" (all alike on {each.unanimous:.0%})"
    return words if each.checked else f"{words}; {UNCHECKED}"


def _tested(each: Tested) -> str:
    if each.copy:
        return f"{verdict(each)}, p {each.p:.2g}"
    over = f" (Holm, {each.tests} instruments)" if each.tests > 1 else ""
    return f"{verdict(each)}, p adjusted {each.p:.2g}{over}"


def verdict(each: Tested) -> str:
    """Short: what the test says."""
    if each.copy:
        return "changed" if each.separated else "no change can be told"
    return "told apart" if each.separated else "cannot be told apart"


def _steered(each: Steered) -> str:
    shown = "it moves" if each.shown else "not shown to move"
    further = "toward its pole, and further than elsewhere"
    return f"gain less the largest move elsewhere ({each.elsewhere}): {shown} {further}"


def _skipped(each: InstrumentSkipped) -> str:
    why = check(each.failed.found) if each.failed.found else words_of(each.failed)
    return f"{each.instrument} on {', '.join(each.failed.bases)}: {why}; not asked"


def _lost(each: WorkerLost) -> str:
    again = "; its questions are asked again" if each.again else ""
    return f"a worker on {each.place} was lost{again} ({each.why})"


def _does_not_judge(each: DoesNotJudge) -> str:
    rest = "the others judge without it" if each.others else "rules alone read it"
    return f"{each.judge} does not judge {each.assistant}, which speaks through it: {rest}"


def _no_labels(each: NoLabels) -> str:
    if each.why:
        return f"{each.question}: {UNCHECKED}: {each.why}; {each.hint}"
    return f"{each.question}: nobody's labels for it are known; {UNCHECKED}"


_WORDS: dict[type, Callable[[Any], str]] = {
    NotPassed: _not_passed,
    NotAsked: lambda each: each.why,
    TooFew: _too_few,
    NotMeasurable: lambda each: each.why,
    PoorJudges: _poor_judges,
    PoorPanels: lambda each: "; ".join(map(_poor_judges, each.panels)),
    SameWeights: lambda _: "both speak through the same weights, and this instrument does not hear the assistant",
    Unpaired: lambda _: "Harm and over-refusal are shown only together; the other is missing.",
    Unfinished: lambda each: (
        f"{each.replies:,} of {each.of:,} replies ended before their thinking did and are not counted"
    ),
    NotChecked: _not_checked,
    FewItems: lambda each: f"fewer than {each.least} items: take the interval as a hint",
    StoppedEarly: lambda each: (
        f"stopped after {each.items:,} items when the interval was narrow enough:"
        " intervals from stopping early are slightly too narrow"
    ),
    Without: lambda each: f"without {', '.join(each.assistants)}, on whose base it was not shown to see differences",
    Recites: _recites,
    Judged: _judged,
    ByRules: lambda each: f"{words_of(each.judges)}, so that classes are the rules'",
    Tested: _tested,
    Steered: _steered,
    NoControl: lambda _: "no axis that it is not about was asked as well, so that it may be moving everywhere",
    InstrumentSkipped: _skipped,
    WorkerLost: _lost,
    DoesNotJudge: _does_not_judge,
    NoLabels: _no_labels,
    LabelsUsed: lambda each: f"{each.question}: judges are checked on {each.title} ({each.licence})",
}
