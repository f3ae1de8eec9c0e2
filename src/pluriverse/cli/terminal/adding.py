"""How files become works on a terminal: progress while they are read, and what was read, in words and as JSON."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import Output
from .text import counted

if TYPE_CHECKING:
    from ...settings import Settings
    from ...store import Store
    from ...values import Work
    from ...works.adding import Added


def words_now(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--words-now", action="store_true", help="return when words can be searched; meaning follows when it is needed"
    )


async def read(
    paths: Sequence[Path], have: "tuple[Work, ...]", store: "Store", settings: "Settings", out: Output
) -> "Added":
    """Read files into works, with progress. Raises as `works.adding.add_works`."""
    from ...assistant.works import MOST
    from ...works.adding import Added, Indexing, Reading, Unread, add_works

    async for event in add_works(store, settings, paths, have=have, most=MOST):
        match event:
            case Reading(path):
                out.progress.status(f"reading {path.name}")
            case Unread(problem):
                out.warn(problem.message + (f"; {problem.hint}" if problem.hint else ""))
            case Indexing(done, total, work):
                out.progress.steps("indexing words", done, total, work.title)
            case Added():
                return event
    raise AssertionError("it ends with what was added, or with an error")


def document_of(added: "Added") -> dict[str, Any]:
    """What was read, for JSON."""
    return {
        "works": [
            {
                "work": each.work.id, "title": each.work.title, "author": each.work.author,
                "language": each.work.language, "passages": each.passages, "digest": each.work.digest,
                "again": each.again,
            }
            for each in added.works
        ],
        "problems": [
            {"path": str(each.path), "reason": each.reason, "message": each.message, "count": each.count}
            for each in added.problems
        ],
    }  # fmt: skip


def tell(added: "Added", out: Output) -> None:
    """What was read, in words."""
    passages = sum(each.passages for each in added.works)
    languages = ", ".join(dict.fromkeys(each.work.language or "unknown" for each in added.works))
    unread = f"; {counted(len(added.problems), 'problem')}, told above" if added.problems else ""
    out.note(f"read {counted(len(added.works), 'work')}, {counted(passages, 'passage')}, in {languages}{unread}")
    for each in added.works:
        if each.again:
            out.note(f"{each.work.id} was there already")
