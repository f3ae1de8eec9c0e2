"""`pluriverse new`: write an assistant, or a pair of counterparts, as files that a person can read and edit."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import NotFoundError, PluriverseError, UsageError, command
from ..terminal.adding import document_of, read, tell, words_now
from ..terminal.output import Output
from ..terminal.parser import GROUPS, Commands, names_of
from .check import check_named
from .check import show as show_check
from .ls import assistant_document, base_of, default_base

if TYPE_CHECKING:
    from ...assistant import Assistant, Guidance
    from ...panelcheck.report import PanelReport
    from ...settings import Settings
    from ...store import Store
    from ...works.adding import Added

_FEW = 8  # questions of a check in short
DIMENSIONS = "one of expertise, language, culture, values, politics, history"  # importing them would cost --help time


def add(commands: Commands) -> None:
    example = 'pluriverse new gardener --system "You are an old gardener." --title Gardener'
    parser = commands.add("new", "make an assistant, or a pair of them", run, example=example, group=GROUPS[1])
    parser.add_argument("name", nargs="?", metavar="NAME", help="its name: small letters, digits and dashes")
    parser.add_argument(
        "--pair", nargs=2, metavar=("A", "B"),
        help="make two with opposite views, each guided against the other; --system, --system-file, --title, --outlook"
        " and --summary can then be given twice, for A first",
    )  # fmt: skip
    parser.add_argument(
        "--base", default="default", metavar="REF", help="the model it uses (default: the default model)"
    )
    prompt = parser.add_mutually_exclusive_group()
    prompt.add_argument("--system", action="append", metavar="TEXT", help="its system prompt: what it is told before"
                        " every conversation; - reads it from stdin")  # fmt: skip
    prompt.add_argument("--system-file", action="append", metavar="FILE", help="read its system prompt from a file")
    parser.add_argument("--title", action="append", help="who it is, in a few words")
    parser.add_argument("--description", default="", help="a longer description")
    parser.add_argument("--language", metavar="A,B", help="languages it answers in, the main one first: en, fr, pt-BR")
    parser.add_argument(
        "--outlook",
        action="append",
        metavar="DIMENSION:POSITION",
        help=f'its point of view, e.g. "politics: conservative"; DIMENSION is {DIMENSIONS}',
    )
    parser.add_argument("--summary", action="append", help="its point of view in a sentence")
    parser.add_argument("--counterpart", metavar="NAME", help="the assistant with the opposite view")
    parser.add_argument(
        "--guidance",
        metavar="STRENGTH",
        type=float,
        help="how strongly to push it away from --against: 0 (not at all) to 5, e.g. 2",
    )
    parser.add_argument(
        "--against",
        metavar="WHAT",
        help='what to guide it against: "counterpart", "plain" (the model without a prompt) or a system prompt'
        " (default: its counterpart, if it has one)",
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="its default temperature")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="its default length of a reply, in tokens")
    parser.add_argument(
        "--works", nargs="+", type=Path, metavar="PATH",
        help="what it answers from: text, Markdown, HTML, EPUB, PDF or DOCX files, folders of them, or library:ID"
        " (pluriverse works library)",
    )  # fmt: skip
    words_now(parser)
    parser.add_argument("--check", action="store_true", help="measure quickly how much it differs from its counterpart")
    parser.add_argument("--force", action="store_true", help="replace an assistant of that name")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...assistant.listing import listed
    from ...runtime.making import keep_definition
    from ...store import Store

    shelf, store = Shelf(settings), Store.at(settings)
    sides = _sides(args)
    base = _base(args.base, store, settings)
    made = [_assistant(args, side, base) for side in sides]
    added = None
    if args.works:
        if not args.force:
            shelf.free(args.name)  # said before anything is read
        with store.holding_works():
            made[0], added = _with_works(made[0], args, store, settings, out)
            paths: Sequence[Path] = [shelf.write(made[0], overwrite=args.force)]
    elif len(made) == 2:
        paths = shelf.write_pair((made[0], made[1]), overwrite=args.force)
    else:
        paths = [shelf.write(made[0], overwrite=args.force)]
    documents = []
    with undone(paths, args.force):
        for assistant in made:
            keep_definition(assistant, store, settings)
    for assistant, path in zip(made, paths, strict=True):
        here, default = base_of(assistant.base, store, settings), default_base(store, settings)
        documents.append(assistant_document(listed(assistant), here, default, settings) | {"path": str(path)})
    report = _check(made[0], out, settings) if args.check else None
    more = ({"check": report.as_dict()} if report else {}) | (document_of(added) if added else {})
    out.document((documents[0] if args.pair is None else {"assistants": documents}) | more)
    for path in paths:
        out.line(str(path))
    if added:
        tell(added, out)
    if report:
        show_check(report, out)
    if made[0].base != "default":
        _tell_base(made[0].base, store, settings, out)
    if args.pair:
        question = command("ask", "What makes a society fair?", "--with", ",".join(args.pair))
        out.note(f"change what they are told: {command('edit', args.pair[0])}; try them: {question}")
    else:
        out.note(f"change it: {command('edit', args.name)}; try it: {command('chat', args.name)}")
    return 0


def _with_works(
    assistant: "Assistant", args: argparse.Namespace, store: "Store", settings: "Settings", out: Output
) -> "tuple[Assistant, Added]":
    """The same with works; where no language was given, it answers in theirs."""
    import asyncio
    from dataclasses import replace

    from ...runtime.making import CALM

    added = asyncio.run(read(args.works, (), store, settings, out, words_alone=args.words_now))
    languages = assistant.languages or added.languages
    return replace(assistant, works=added.new, languages=languages, sampling={**CALM, **assistant.sampling}), added


@contextmanager
def undone(paths: Sequence[Path], replaced: bool) -> Iterator[None]:
    """Where the block fails, the files that were just made go again, unless they took the place of others."""
    from ...files import delete

    try:
        yield
    except PluriverseError:
        for path in () if replaced else paths:
            delete(path)
        raise


def _tell_base(base: str, store: "Store", settings: "Settings", out: Output) -> None:
    """Say it where the model is not here, or nobody knows it."""
    from ...assistant.bases import NotPulled, resolve

    try:
        resolve(base, store, settings)
    except NotPulled as missing:
        out.note(f"its model is not here yet: {missing.hint}")
    except NotFoundError as unknown:
        out.warn(f"{unknown.message}; it cannot answer without a model")
        out.note("see what there is: pluriverse catalogue")


def _check(assistant: "Assistant", out: Output, settings: "Settings") -> "PanelReport":
    """The new one beside its counterpart, or beside the plain base where it names nobody."""
    import asyncio

    from ...assistant import Assistant
    from ...panelcheck.check import CheckOptions

    name = "plain" if assistant.name != "plain" else "base"
    other = assistant.counterpart or Assistant(name, base=assistant.base)
    options = CheckOptions(questions=_FEW, facts=False)
    return asyncio.run(check_named(assistant.name, [assistant, other], None, options, out, settings))


def _base(ref: str, store: "Store", settings: "Settings") -> str:
    """How the definition names its base. A file that is not in the store yet is looked at now: it must be a model."""
    import asyncio

    from ...assistant.bases import NotPulled, resolve
    from ...engines.admitting import check_file
    from ...store import read_header
    from ...store.kinds import check_writes
    from ...values import PathSource

    try:
        if path := resolve(ref, store, settings).path:
            check_writes(read_header(path), ref)
    except NotPulled as missing:
        for source in missing.pullable.sources:
            if isinstance(source, PathSource):
                asyncio.run(check_file(source.path))
                return str(source.path)  # so that it is found from any folder
    except NotFoundError as missing:
        if ref.endswith(".gguf"):
            raise missing
    return ref


def _sides(args: argparse.Namespace) -> list[int | None]:
    """Whose values are taken: None for a single one, else 0 and 1. UsageError where it is unclear who is made."""
    prompt = "Answer briefly and in plain words."
    if args.pair is None:
        if args.name is None:
            raise UsageError("the new assistant has no name", command("new", "gardener", "--system", prompt))
        if args.system is None and args.system_file is None and not args.works:
            raise UsageError(f"what is {args.name} told?", command("new", args.name, "--system", prompt))
        return [None]
    if args.works:
        raise UsageError(
            "--works is for one assistant", f"add works to each: {command('works', 'add', args.pair[0], 'notes.txt')}"
        )
    if args.name is not None or args.counterpart is not None:
        raise UsageError(
            "--pair names both, and each is the other's counterpart",
            command("new", "--pair", args.pair[0], args.pair[1]),
        )
    if args.pair[0] == args.pair[1]:
        raise UsageError(f"{args.pair[0]} cannot be its own counterpart", command("new", "--pair", "north", "south"))
    if args.against not in {None, "counterpart"}:
        raise UsageError("the two of a pair are guided against each other", "leave --against out")
    return [0, 1]


def _given(args: argparse.Namespace, option: str, side: int | None) -> str | None:
    """An option's value for this side; None where it was not given. UsageError where it is not given once a side."""
    values: list[str] | None = getattr(args, option)
    flag = f"--{option.replace('_', '-')}"
    if values is None:
        return None
    if side is None and len(values) > 1:
        raise UsageError(f"{flag} is given {len(values)} times", f"give {flag} once; twice only with --pair A B")
    if side is not None and len(values) != 2:
        raise UsageError(f"{flag} is given {len(values)} times for two", f"give {flag} twice: first for {args.pair[0]}")
    return values[side or 0]


def _assistant(args: argparse.Namespace, side: int | None, base: str) -> "Assistant":
    from ...assistant import Assistant, Outlook

    given = {"temperature": args.temperature, "max_tokens": args.max_tokens}
    sampling = {name: value for name, value in given.items() if value is not None}
    dimension, _, position = (_given(args, "outlook", side) or "").partition(":")
    name = args.name if side is None else args.pair[side]
    return Assistant(
        name=name,
        title=_given(args, "title", side) or name,
        base=base,
        system=_system(args, name, side),
        outlook=Outlook(dimension.strip(), position.strip(), _given(args, "summary", side) or ""),
        languages=tuple(names_of(args.language)) if args.language else (),
        counterpart=args.counterpart if side is None else args.pair[1 - side],
        guidance=_guidance(args, side),
        sampling=sampling,
        description=args.description,
    )


def _guidance(args: argparse.Namespace, side: int | None) -> "Guidance | None":
    from ...assistant import Guidance

    if args.guidance == 0 or (side is None and args.guidance is None and args.against is None):
        return None
    against = args.against or ("counterpart" if args.counterpart or side is not None else "plain")
    return Guidance(against) if args.guidance is None else Guidance(against, args.guidance)


def _system(args: argparse.Namespace, name: str, side: int | None) -> str:
    file, text = _given(args, "system_file", side), _given(args, "system", side)
    if file is not None:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read as text: {error}") from error
    if text is None and args.works:
        from ...runtime.making import FROM_WORKS

        return FROM_WORKS
    if text is None:  # one of a pair: something to begin with
        return f"You answer from one point of view: {name.replace('-', ' ')}. You speak for it, in its own words."
    return sys.stdin.read().strip() if text == "-" else text
