"""How files become works on a terminal: progress while they are read, and what was read, in words and as JSON."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import Output
from .text import counted, one_line

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
    paths: Sequence[Path],
    have: "tuple[Work, ...]",
    store: "Store",
    settings: "Settings",
    out: Output,
    *,
    words_alone: bool = False,
) -> "Added":
    """Read files into works, with progress. Raises as `works.adding.add_works` and, without `words_alone`, `study`."""
    from ...assistant.works import MOST
    from ...works.adding import Added, AddedWork, Unread, add_works

    async for event in add_works(store, settings, paths, have=have, most=MOST):
        match event:
            case Unread(problem):
                out.warn(problem.message + (f"; {problem.hint}" if problem.hint else ""))
            case AddedWork(work, passages):
                out.progress.status(f"read {one_line(work.title)}: {counted(passages, 'passage')}")
            case Added():
                if not words_alone:
                    await _study(event, settings, out)
                return event
    raise AssertionError("it ends with what was added, or with an error")


async def _study(added: "Added", settings: "Settings", out: Output) -> None:
    """Have the works searched by meaning too; where that cannot be, it is said."""
    from ...runtime.events import Fetching, Studying
    from ...runtime.meaning import WordsAlone
    from ...runtime.studying import study
    from ...runtime.workspace import Workspace
    from .pulling import show_pull

    async with Workspace(settings) as workspace:
        async for event in study(workspace, [each.work for each in added.works]):
            match event:
                case Fetching(base, pulling):
                    show_pull(out, pulling, base)
                case Studying(work, done, total):
                    out.progress.steps("indexing meaning", done, total, one_line(work.title))
                case WordsAlone(model=model, error=error):
                    why = f": {error.message}" if error else ""
                    out.note(f"the works are searched by words alone, for {model} cannot be used{why}")
                    if error and error.hint:
                        out.note(f"hint: {error.hint}")
                case _:
                    out.progress.clear()


def document_of(added: "Added") -> dict[str, Any]:
    """What was read, for JSON."""
    return {
        "works": [
            {
                "work": each.work.id, "title": each.work.title, "author": each.work.author,
                "language": each.work.language, "passages": each.passages, "digest": each.work.digest,
                "again": each.again, "instead": each.instead and each.instead.digest,
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
        if each.instead:
            out.note(f"{each.work.id}: the file held another text before; that one is no longer answered from")
