"""`pluriverse works`: what assistants answer from. Listed, shown, added, removed and searched."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import NotFoundError, UsageError, command
from ..terminal.adding import document_of, read, tell, words_now
from ..terminal.output import Output, bold, dim
from ..terminal.parser import GROUPS, Commands, near
from ..terminal.text import counted, one_line

if TYPE_CHECKING:
    from ...assistant import Assistant
    from ...settings import Settings
    from ...store import Store
    from ...store.works import StoredWork
    from ...values import Work
    from ...works.schema import Found, Why

_CHANGING = "assistants"  # the lock of who changes the works of one
_FILE = {True: "same", False: "changed", None: "gone"}


def add(commands: Commands) -> None:
    about = "the works that assistants answer from"
    parser = commands.add("works", about, ls, example="pluriverse works ls", group=GROUPS[1])
    nested = Commands(parser, dest="works_command")
    nested.add("ls", "list the works of all assistants", ls, example="pluriverse works ls")
    shown = nested.add(
        "show",
        "show the works of an assistant, and where they come from",
        show,
        example="pluriverse works show gardener",
    )
    added = nested.add(
        "add", "give an assistant more works", add_to, example="pluriverse works add gardener roses.epub notes/"
    )
    removed = nested.add("rm", "take works from an assistant", remove, example="pluriverse works rm gardener roses")
    searched = nested.add(
        "search", "search the works of an assistant", search, example='pluriverse works search gardener "prune roses"'
    )
    listed = nested.add(
        "library", "list the works that pluriverse knows", library, example="pluriverse works library hobbes"
    )
    listed.add_argument("words", nargs="*", metavar="WORD", help="only those that have these words")
    for each in (shown, added, removed, searched):
        each.add_argument("name", metavar="NAME", help="the assistant")
    added.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, a folder of them, or library:ID")
    words_now(added)
    removed.add_argument(
        "works", nargs="+", metavar="WORK", help="works: their names or titles, as `works ls` shows them"
    )
    searched.add_argument("words", nargs="+", metavar="WORDS", help="a question, or words of it")
    searched.add_argument("--limit", type=int, default=5, metavar="N", help="how many passages (default: 5)")


def ls(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...store import Store

    store = Store.at(settings)
    having = [each for each in Shelf(settings).assistants() if each.works]
    counts = _passages(store, [work for each in having for work in each.works])
    documents = [{"assistant": each.name, "works": [_document(work, counts) for work in each.works]} for each in having]
    out.document({"assistants": documents})
    if not having:
        out.note("no assistant has works; make one: " + command("new", "gardener", "--works", "notes"))
    elif not out.json:
        rows = [
            (each.name, work.id, work.language, _count(counts.get(work.digest)), work.title)
            for each in having
            for work in each.works
        ]
        out.table(("ASSISTANT", "WORK", "LANGUAGE", "PASSAGES", "TITLE"), rows, spare=("LANGUAGE",), whole=("WORK",))
    return 0


def library(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...works.library import entries

    known = {
        name: (each, " ".join((name, each.work.title, each.work.author, each.translator, each.tradition)).lower())
        for name, each in entries().items()
    }
    found = {name: each for name, (each, told) in known.items() if all(word.lower() in told for word in args.words)}
    documents = [
        {
            "id": name, "title": each.work.title, "author": each.work.author, "translator": each.translator,
            "year": each.year, "language": each.work.language, "tradition": each.tradition, "bytes": each.size,
            "ships": each.shipped, "public_domain": each.public_domain, "note": each.note, "origin": each.origin.repo,
            "digest": each.work.digest,
        }
        for name, each in found.items()
    ]  # fmt: skip
    out.document({"works": documents})
    if not found:
        out.note("no work has all of these words; all of them: " + command("works", "library"))
    elif not out.json:
        rows = [
            (name, each.work.language, each.work.author, each.work.title, "here" if each.shipped else "to fetch")
            for name, each in found.items()
        ]
        out.table(("ID", "LANGUAGE", "AUTHOR", "TITLE", "TEXT"), rows, spare=("LANGUAGE", "TEXT"), whole=("ID",))
        out.note("a voice of some of them: " + command("new", "mine", "--works", f"library:{next(iter(found))}"))
    return 0


def show(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...store import Store

    assistant = _with_works(Shelf(settings).assistant(args.name))
    store = Store.at(settings)
    counts = _passages(store, assistant.works)
    known = store.works({work.digest for work in assistant.works})
    documents = [
        _document(work, counts) | {"author": work.author, "edition": work.edition} | _kept(known.get(work.digest))
        for work in assistant.works
    ]
    out.document({"assistant": assistant.name, "works": documents})
    for work, document in zip(assistant.works, documents, strict=True):
        out.line(bold(work.id), f"  {one_line(work.title)}")
        file = document["file"]
        out.fields(
            [
                ("author", work.author),
                ("edition", work.edition),
                ("language", work.language),
                ("passages", _count(counts.get(work.digest)) or "not indexed yet"),
                ("text", None if document["text_here"] else "comes with pluriverse, or is not here yet"),
                ("file", file and file["path"] + _STATES[file["state"]]),
                ("digest", work.digest),
            ]
        )
        out.line()
    files = [document["file"] for document in documents if document["file"]]
    if changed := [each["path"] for each in files if each["state"] == "changed"]:
        again = command("works", "add", args.name, changed[0], *changed[1:])
        out.note(f"it answers from the text as it was read; to read again what is another now: {again}")
    return 0


_STATES = {
    "same": "",
    "changed": " (another now; the text is as it was read)",
    "gone": " (not there now; the text is kept)",
}


def add_to(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio
    from dataclasses import replace

    from ...assistant import Shelf
    from ...runtime.making import keep_definition
    from ...store import Store

    shelf, store = Shelf(settings), Store.at(settings)
    have = _own(shelf.assistant(args.name)).works
    with store.holding_works():
        added = asyncio.run(read(args.paths, have, store, settings, out, words_alone=args.words_now))
        with store.home.lock(_CHANGING):  # reading takes minutes: meanwhile the assistant may have been changed
            assistant = _own(shelf.assistant(args.name))
            changed = replace(assistant, works=added.after(assistant.works))
            path = shelf.write(changed, overwrite=True)
    keep_definition(changed, store, settings)
    out.document({"assistant": args.name, "path": str(path)} | document_of(added))
    tell(added, out)
    return 0


def remove(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from dataclasses import replace

    from ...assistant import Shelf
    from ...runtime.making import keep_definition
    from ...store import Store

    shelf, store = Shelf(settings), Store.at(settings)
    assistant = _with_works(_own(shelf.assistant(args.name)))
    gone = {_named(name, assistant) for name in args.works}
    with store.home.lock(_CHANGING):
        assistant = _own(shelf.assistant(args.name))
        kept = tuple(work for work in assistant.works if work.id not in gone)
        changed = replace(assistant, works=kept)
        shelf.write(changed, overwrite=True)
    keep_definition(changed, store, settings)
    out.document(
        {
            "assistant": args.name,
            "removed": [work.id for work in assistant.works if work.id in gone],
            "works": [work.id for work in kept],
        }
    )
    out.note(f"{args.name} has {counted(len(kept), 'work')} now; the space is freed by: pluriverse gc")
    return 0


def search(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ...assistant import Shelf
    from ..terminal.cited import OTHER_LANGUAGE

    if args.limit < 1:
        raise UsageError(f"--limit is {args.limit}; it must be 1 or more")
    assistant = _with_works(Shelf(settings).assistant(args.name))
    found, spoken, why = asyncio.run(_found(assistant.works, " ".join(args.words), args.limit, settings))
    out.document(
        {
            "declined": not spoken,
            "words_alone": why,
            "passages": [
                {
                    "work": each.passage.work.id, "title": each.passage.work.title, "place": each.passage.place,
                    "text": each.passage.text, "score": each.score, "by": list(each.by),
                }
                for each in found
            ]
        }
    )  # fmt: skip
    for each in found:
        work = each.passage.work
        head = ", ".join(filter(None, (work.author, work.title, each.passage.place)))
        out.line(bold(one_line(head)), dim(f"  found by {' and '.join(each.by)}"))
        out.paragraph(each.passage.text, indent=2)
        out.line()
    if why == "language":
        out.note(OTHER_LANGUAGE)
    if not found:
        out.note(f"the works of {args.name} have none of these words")
    elif not spoken:
        out.note(f"these are the nearest; asked this, {args.name} would say that its works do not speak of it")
    return 0


async def _found(
    works: "Sequence[Work]", question: str, limit: int, settings: "Settings"
) -> "tuple[list[Found], bool, Why | None]":
    """The best passages, whether an answer would be given from them, and why they were found by words alone."""
    from ...runtime.grounding import FOUND, speak_of
    from ...runtime.studying import search_works
    from ...runtime.workspace import Workspace

    async with Workspace(settings) as workspace:
        found, why = await search_works(workspace, works, question, max(limit, FOUND))
        return found[:limit], speak_of(workspace, works, question, found), why


def _document(work: "Work", counts: dict[str, int]) -> dict[str, Any]:
    return {
        "work": work.id,
        "title": work.title,
        "language": work.language,
        "passages": counts.get(work.digest),
        "digest": work.digest,
    }


def _kept(stored: "StoredWork | None") -> dict[str, Any]:
    from ...works.adding import unchanged

    origin = stored.origin if stored else None
    file = origin and {"path": origin.path, "state": _FILE[unchanged(origin)]}
    return {"text_here": bool(stored and stored.path("text")), "file": file}


def _passages(store: "Store", works: "Sequence[Work]") -> dict[str, int]:
    """How many passages each work has, by its digest; those that were never indexed are left out."""
    from ...works.index.keeping import indexed

    return {work.digest: len(index) for work, index in indexed(store, works)}


def _count(passages: int | None) -> str:
    return "" if passages is None else f"{passages:,}"


def _with_works(assistant: "Assistant") -> "Assistant":
    if not assistant.works:
        raise NotFoundError(
            f"{assistant.name} has no works", f"give it some: {command('works', 'add', assistant.name, 'notes.txt')}"
        )
    return assistant


def _named(name: str, assistant: "Assistant") -> str:
    """The id of the work that is called so by its id or its title; NotFoundError."""
    ids = [work.id for work in assistant.works]
    titled = [work.id for work in assistant.works if work.title.casefold() == name.casefold()]
    if name in ids or len(titled) == 1:
        return name if name in ids else titled[0]
    if titled:
        raise NotFoundError(
            f"{assistant.name} has {len(titled)} works with this title", f"name one: {', '.join(titled)}"
        )
    close = near(name, ids)
    raise NotFoundError(
        f"{assistant.name} has no work called {name!r}",
        f"did you mean {close}?" if close else f"see them: {command('works', 'show', assistant.name)}",
    )


def _own(assistant: "Assistant") -> "Assistant":
    if assistant.builtin:
        mine = f"my-{assistant.name}"
        raise UsageError(
            f"{assistant.name} is built in and stays as it is",
            f"change a copy: {command('copy', assistant.name, mine)}",
        )
    return assistant
