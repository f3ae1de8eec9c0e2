"""`pluriverse new`: write an assistant as a file that a person can read and edit."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotFoundError, PluriverseError, UsageError
from .check import check_named
from .check import show as show_check
from .ls import assistant_document, base_is_here
from .output import Output
from .parser import GROUPS, Commands, names_of

if TYPE_CHECKING:
    from ..assistants import Assistant, Guidance
    from ..measure import PanelReport
    from ..settings import Settings
    from ..store import Store
    from ..values import Digest

_FEW = 8  # questions of a check in short
DIMENSIONS = "one of expertise, language, culture, values, politics, history"  # importing them would cost --help time


def add(commands: Commands) -> None:
    example = (
        'pluriverse new gardener --system "You are an old gardener. Answer from experience." --title "Old gardener"'
    )
    parser = commands.add("new", "make an assistant", run, example=example, group=GROUPS[1])
    parser.add_argument("name", metavar="NAME", help="small letters, digits and dashes")
    parser.add_argument("--base", default="default", metavar="REF", help="the model it speaks through")
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--system", metavar="TEXT", help="its system prompt, or - to read it from stdin")
    prompt.add_argument("--system-file", metavar="FILE", help="a file with its system prompt")
    parser.add_argument("--title", default="", help="a few words on who it is")
    parser.add_argument("--description", default="", help="more about it")
    parser.add_argument("--language", metavar="A,B", help="what it answers in, its own first: en, fr, pt-BR")
    parser.add_argument("--outlook", metavar="DIMENSION:POSITION", help=f'{DIMENSIONS}; "politics: conservative"')
    parser.add_argument("--summary", default="", help="its outlook in a sentence")
    parser.add_argument("--counterpart", metavar="NAME", help="who stands on the other side")
    parser.add_argument("--guidance", metavar="STRENGTH", type=float, help="decode it in contrast, e.g. 2")
    parser.add_argument(
        "--against", metavar="WHAT", help='"counterpart", "plain" or a text (default: counterpart, else plain)'
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="its own default")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="its own default")
    parser.add_argument("--check", action="store_true", help="measure in short how far it differs from the other side")
    parser.add_argument("--force", action="store_true", help="replace an assistant of that name")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ..assistants import Shelf
    from ..store import Store

    store = Store.at(settings)
    assistant = _assistant(args, _base(args.base, store, settings))
    path = Shelf(settings).write(assistant, overwrite=args.force)
    store.put_assistant(assistant.name, assistant.to_toml(), _base_digest(assistant.base, store, settings))
    here = base_is_here(assistant.base, store, settings)
    report = _check(assistant, out, settings) if args.check else None
    checked = {"check": report.as_dict()} if report else {}
    out.document(assistant_document(assistant, here, settings) | {"path": str(path)} | checked)
    out.line(str(path))
    if report:
        show_check(report, out)
    if not here and assistant.base != "default":
        out.note(f"its model is not here yet: pluriverse pull {shlex.quote(assistant.base)}")
    out.note(f"edit that file as you like; try it: pluriverse chat {assistant.name}")
    return 0


def _check(assistant: "Assistant", out: Output, settings: "Settings") -> "PanelReport":
    """The new one beside its counterpart, or beside the plain base where it names nobody."""
    import asyncio

    from ..assistants import Assistant
    from ..measure import CheckOptions

    name = "plain" if assistant.name != "plain" else "base"
    other = assistant.counterpart or Assistant(name, base=assistant.base)
    options = CheckOptions(questions=_FEW, facts=False)
    return asyncio.run(check_named(assistant.name, [assistant, other], None, options, out, settings))


def _base_digest(base: str, store: "Store", settings: "Settings") -> "Digest | None":
    """The weights that the definition speaks through today, where they are here."""
    from ..assistants.bases import resolve

    try:
        return resolve(base, store, settings).digest
    except PluriverseError:
        return None


def _base(ref: str, store: "Store", settings: "Settings") -> str:
    """How the definition names its base. A file that is not in the store yet is looked at now: it must be a model."""
    import asyncio

    from ..assistants.bases import NotPulled, resolve
    from ..engines.admitting import check_file
    from ..values import PathSource

    try:
        resolve(ref, store, settings)
    except NotPulled as missing:
        for source in missing.pullable.sources:
            if isinstance(source, PathSource):
                asyncio.run(check_file(source.path))
                return str(source.path)  # so that it is found from any folder
    except NotFoundError as missing:
        if ref.endswith(".gguf"):
            raise missing
    return ref


def _assistant(args: argparse.Namespace, base: str) -> "Assistant":
    from ..assistants import Assistant, Outlook

    given = {"temperature": args.temperature, "max_tokens": args.max_tokens}
    sampling = {name: value for name, value in given.items() if value is not None}
    dimension, _, position = (args.outlook or "").partition(":")
    return Assistant(
        name=args.name,
        title=args.title or args.name,
        base=base,
        system=_system(args),
        outlook=Outlook(dimension.strip(), position.strip(), args.summary),
        languages=tuple(names_of(args.language)) if args.language else (),
        counterpart=args.counterpart,
        guidance=_guidance(args),
        sampling=sampling,
        description=args.description,
    )


def _guidance(args: argparse.Namespace) -> "Guidance | None":
    from ..assistants import Guidance

    if args.guidance is None and args.against is None:
        return None
    against = args.against or ("counterpart" if args.counterpart else "plain")
    return Guidance(against) if args.guidance is None else Guidance(against, args.guidance)


def _system(args: argparse.Namespace) -> str:
    if args.system_file is not None:
        try:
            return Path(args.system_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{args.system_file} cannot be read as text: {error}") from error
    text: str = sys.stdin.read().strip() if args.system == "-" else args.system
    return text
