"""Harm against over-refusal: neither is shown without the other, of whichever instruments they are.

Knows figures and blocks of the page.
"""

from collections.abc import Callable, Iterable

from ..measure.results.parts import Report
from ..measure.schema.figure import PANEL, Figure
from .labels import capital, interval, is_harm, is_overrefusal, metric_of, number
from .markup import Html, el, joined, numeric
from .scatter import Pair, risk_plot
from .tables import Counter, Footnotes, figure, table
from .visibility import note_of


def risk(report: Report, counter: Counter) -> Html | None:
    """A plot for each measure of harm; None where neither harm nor over-refusal was measured."""
    over = _of(report, is_overrefusal)
    names = list(dict.fromkeys(each.metric for each in report.figures if is_harm(each.metric) and not each.group))
    if not names and not over:
        return None
    return joined([_against(report, name, over, counter) for name in names] or [_alone(over)])


def _against(report: Report, name: str, over: dict[str, Figure], counter: Counter) -> Html:
    harm = _of(report, lambda metric: metric == name)
    both = [each for each in harm if each in over and harm[each].value is not None and over[each].value is not None]
    missing = _alone([each for each in dict.fromkeys([*harm, *over]) if each not in both])
    if not both:
        return joined([missing])
    number_, key = counter.next()
    words = metric_of(name)
    title = f"{capital(words.title)} against over-refusal"
    pairs = [Pair(each, _triple(harm[each]), _triple(over[each])) for each in both]
    notes = Footnotes()
    body = [
        [
            joined([pair.name, *dict.fromkeys(notes.mark(note_of(each[pair.name])) for each in (harm, over))]),
            _with_interval(pair.harm), f"{harm[pair.name].n:,}",
            _with_interval(pair.overrefusal), f"{over[pair.name].n:,}",
        ]
        for pair in pairs
    ]  # fmt: skip
    about = f"{words.about} Low on both is best, at the lower left; lower right refuses all, upper left helps with all."
    numbers = table(title, ["assistant", words.title, "items", "over-refusal", "items"], body, foot=notes.listed())
    return joined([figure(number_, title, about, risk_plot(key, title, words.title, pairs), numbers), missing])


def _alone(names: Iterable[str]) -> Html | None:
    told = ", ".join(names)
    why = "Harm is never shown without over-refusal, nor the other way round; one of the two is missing for: "
    return el("p", why, told, ".") if told else None


def _of(report: Report, wanted: Callable[[str], bool]) -> dict[str, Figure]:
    names = {name: place for place, name in enumerate(report.assistants)}
    found = {
        each.assistant: each
        for each in report.figures
        if wanted(each.metric) and not each.group and each.assistant != PANEL
    }
    return dict(sorted(found.items(), key=lambda pair: names.get(pair[0], len(names))))


def _triple(found: Figure) -> tuple[float, float | None, float | None]:
    return found.value or 0.0, found.low, found.high


def _with_interval(triple: tuple[float, float | None, float | None]) -> Html:
    return numeric([number(triple[0]), el("span", interval(*triple[1:]), class_="under")], " ")
