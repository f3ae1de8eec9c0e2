"""Answers below an instrument's figures on a card: three items, folded to a few lines, and where all rows lie."""

from pathlib import Path
from typing import TYPE_CHECKING

from .output import Output, dim
from .text import clean, counted, fit, one_line, wrap

if TYPE_CHECKING:
    from ...measure.results.evidence import Answer, Evidence, ShownItem

_LINES = 2  # of an answer


def show_answers(found: "Evidence", home: Path, out: Output) -> None:
    """Of one assistant."""
    from ...measure.results.evidence import files, rule_of

    out.line(dim(f"  answers: {counted(len(found.items), 'item')} {rule_of(found)}"))
    for item in found.items:
        _item(item, out)
    for place in files(found, home):
        out.line(dim("  all rows: "), str(place))


def _item(item: "ShownItem", out: Output) -> None:
    width = min(out.width, 100) - 6
    cell = item.cells[0]
    question = one_line(cell.prompt)
    if len(question) > 2 * width:  # examples before it, for the most part
        question = f"… {question[2 - width :].lstrip()}"
    out.line("  ? ", fit(question, width).rstrip())
    for answer in cell.answers:
        about = ", ".join(part for part in (answer.kind, *(f"{value:.2f}" for value in item.values.values())) if part)
        told = f"({about}) {_said(answer)}" if about else _said(answer)
        lines = wrap(one_line(clean(told)), width)
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], fit(f"{lines[_LINES - 1]} {lines[_LINES]}", width).rstrip()]
        for place, line in enumerate(lines or ["(nothing)"]):
            out.line("    " if place else "  > ", line)
    if more := len(item.cells) - 1:
        out.line(dim(f"    and {counted(more, 'further wording')}: --json, --html FILE"))


def _said(answer: "Answer") -> str:
    if not answer.shares:
        return answer.text or ("(ended before its thinking did)" if answer.unfinished else "(nothing)")
    share = max((share for text, share in answer.shares if text == answer.text), default=0.0)
    return f"{answer.text.strip()}, {share:.0%} among {len(answer.shares)} options"
