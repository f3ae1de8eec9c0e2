"""The report: one HTML file that works offline, without JavaScript, in dark and light, and on paper.

    render(report) -> str          everything, with a card for each assistant
    card_page(report, name) -> str one assistant alone

Knows the order of the page; what stands in its sections is theirs. Asks nobody and reads no files.
"""

from collections.abc import Sequence
from itertools import groupby

from ..measure.results.parts import Report
from ..measure.schema.instrument import DIMENSIONS
from .card import card_html, facts
from .instruments import instrument_block
from .labels import capital, counted
from .markup import Child, Html, document, el, joined, linked
from .risk import risk
from .sections import detectors, glance, leaderboard, maps, sensitivity
from .style import STYLE
from .tables import Counter, Section, folded, section
from .visibility import measured, visible

_BEFORE = "Before you read"
_LIMITS = (
    "Every number here is of these items, in these languages and wordings, asked of these weights with these settings;"
    " it is no property of an assistant as such.",
    "An interval holds the value in 95 of 100 repetitions with other items of the same kind. Assistants whose paired"
    " difference may be nought are shown as a cluster, never as a rank.",
    "Distributions are of responses that answer; hedges, evasions and refusals are counted apart and always shown.",
)
_LEADS = {
    "expertise": "What it knows and can work out.",
    "language": "How well it understands languages, and whether it keeps to the one it is asked in.",
    "vocabulary": "Whose words its answers use. Words are no stances: this places nobody left or right.",
    "culture": "Whether it knows everyday life in many places.",
    "values": "What it holds right and important, beside people where their answers are known.",
    "politics": "Which side it takes, asked freely and made to choose; the two are never mixed.",
    "history": "Whose telling of contested events it finds likelier.",
    "silence": "What it does not speak about.",
    "risk": "What help with harm it gives. Refusing more lowers harm and raises over-refusal; both are read together.",
}


def render(report: Report) -> str:
    """The whole page."""
    report = visible(report)
    counter = Counter()
    sections = [
        sensitivity(report, counter),
        glance(report),
        maps(report, counter),
        *_dimensions(report, counter),
        leaderboard(report, counter),
        detectors(report),
        _cards(report, counter),
        _made(report),
    ]
    shown = [each for each in sections if each]
    return _page(report.title, _head(report), _contents(shown), *(each.html for each in shown))


def card_page(report: Report, assistant: str) -> str:
    """The card by itself, for one assistant of the report."""
    head = el("header", el("h1", report.title), _byline(report))
    made = _made(report, cards=True)
    return _page(report.title, head, card_html(report, assistant), made.html if made else None)


def _page(title: str, *parts: Child) -> str:
    skip = el("a", "To the figures", href="#main", class_="skip")
    return document(title, STYLE, skip, el("main", *parts, id="main", tabindex="-1"), lang="en")


def _head(report: Report) -> Html:
    found = measured(report)
    items = sum(max(figure.n for figure in each.figures) for each in found)
    sizes = [counted(len(report.assistants), "assistant")]
    if found:
        sizes += [counted(len(found), "instrument"), counted(items, "item")]
    failed = sum(not row.passed for row in report.sensitivity)
    words = [", ".join(sizes) + "."]
    if failed:
        whose = "its" if failed == 1 else "their"
        words.append(
            f"{counted(failed, 'instrument')} did not pass {whose} sensitivity check on a model: silent there."
        )
    return el(
        "header",
        el("h1", report.title),
        _byline(report),
        el("p", " ".join(words), class_="lead"),
        el("p", ", ".join(report.assistants), class_="names") if report.assistants else None,
        el("aside", el("h2", _BEFORE), el("ul", *(el("li", each) for each in _LIMITS)), aria_label=_BEFORE),
    )


def _byline(report: Report) -> Html:
    return el("p", "Measured with pluriverse, ", el("time", report.made, datetime=report.made), class_="byline")


def _contents(shown: Sequence[Section]) -> Html | None:
    if len(shown) < 3:
        return None
    links = (el("li", el("a", each.title, href=f"#{each.key}")) for each in shown)
    return el("nav", el("h2", "Contents"), el("ul", *links), aria_label="Contents")


def _dimensions(report: Report, counter: Counter) -> list[Section]:
    """A section each; risk is one as soon as harm or over-refusal was measured, by whatever instrument."""
    groups = {name: list(group) for name, group in groupby(measured(report), key=lambda each: each.dimension)}
    found: list[Section] = []
    for dimension in (*DIMENSIONS, *(name for name in groups if name not in DIMENSIONS)):
        title = capital(dimension) if dimension in DIMENSIONS else "Other instruments"
        blocks = [risk(report, counter)] if dimension == "risk" else []
        blocks += [instrument_block(report, each, counter) for each in groups.get(dimension, [])]
        if any(blocks):
            found.append(section(dimension or "other", title, *blocks, lead=_LEADS.get(dimension)))
    return found


def _cards(report: Report, counter: Counter) -> Section | None:
    told = {figure.assistant for figure in report.figures}
    names = [name for name in report.assistants if name in told]
    if not names:
        return None
    lead = "One for each assistant: first the sensitivity checks on its model, then all that was measured."
    cards = [card_html(report, name, counter, groups=False) for name in names]
    if len(cards) > 1:
        cards = [folded(f"The card of {name}", card) for name, card in zip(names, cards, strict=True)]
    return section("cards", "Cards", *cards, lead=lead)


def _made(report: Report, cards: bool = False) -> Section | None:
    parts: list[Child] = []
    if report.command:
        parts.append(el("p", "To make this report again:"))
        parts.append(el("pre", el("code", report.command), tabindex=0))
    if report.notes:
        parts.append(el("ul", *(el("li", linked(note)) for note in report.notes)))
    if not cards:
        shown = {figure.assistant for figure in report.figures}
        others = [each for each in report.respondents if each.assistant not in shown]
        parts += [joined([el("h3", each.assistant), facts(each)]) for each in others]
    return section("made", "How it was made", *parts) if parts else None
