"""`pluriverse edit` and `copy`: change an assistant or a panel in an editor; take one as the beginning of another.

What is edited is a draft beside the file: only a whole definition takes the file's place, and a draft that cannot be
used stays where it is, so that nothing that was typed is lost.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PluriverseError, UsageError, command
from ..terminal.output import Output
from ..terminal.parser import GROUPS, Commands
from .disk import kinds_of
from .ls import assistant_document, base_of, default_base
from .new import undone
from .panel import document_of as panel_document

if TYPE_CHECKING:
    from ...assistant import Assistant, Panel, Shelf
    from ...settings import Settings

KINDS = ("assistant", "panel")
_EDITORS = ("nano", "vim", "vi", "notepad")
_LEAVING = {  # editors that are hard to leave for who did not choose them
    **dict.fromkeys(
        ("vi", "vim", "nvim"), "press Esc, then type :wq and Enter to save and leave, or :q! and Enter to leave"
    ),
    "nano": "Ctrl-O and Enter save, Ctrl-X leaves",
}


def add(commands: Commands) -> None:
    group = GROUPS[1]
    edited = commands.add("edit", "change an assistant or a panel in a text editor", edit,
                          example="pluriverse edit duty", group=group)  # fmt: skip
    edited.add_argument(
        "name", metavar="NAME", help="what to change; of one that comes with pluriverse, you get your own version"
    )
    edited.add_argument("--kind", choices=KINDS, help="which one is meant where both have that name")
    copied = commands.add("copy", "copy an assistant or a panel under a new name", copy,
                          example="pluriverse copy duty my-duty", group=group)  # fmt: skip
    copied.add_argument("name", metavar="NAME", help="the one to copy")
    copied.add_argument("new", metavar="NEW", help="the name of the copy")
    copied.add_argument("--kind", choices=KINDS, help="which one is meant where both have that name")
    copied.add_argument("--force", action="store_true", help="replace one of that name")


def edit(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...assistant.reading import read_text
    from ...files import write

    shelf = Shelf(settings)
    kind = _kind(args, "edit", shelf, settings)
    file = (settings.assistants if kind == "assistant" else settings.panels) / f"{args.name}.toml"
    before = read_text(file) if file.is_file() else _definition(args.name, kind, shelf).to_toml()
    draft = file.with_name(f".{args.name}.draft.toml")
    if draft.exists():
        out.note(f"this goes on with what the last edit left in {draft}")
    else:
        write(draft, before)
    while True:
        _open_editor(draft, out, settings)
        text = read_text(draft)
        if text == before:
            draft.unlink()
            return _end(_definition(args.name, kind, shelf), False, out, settings)
        try:
            _read(text, args.name, kind, file)
            break
        except PluriverseError as error:
            if not _again(error, out):
                hint = f"go on with it: {command('edit', args.name)}; it is kept in {draft}"
                raise UsageError(error.message, hint) from error
    if (read_text(file) if file.is_file() else before) != before:
        raise PluriverseError(f"{file} was changed by somebody else meanwhile", f"what you wrote is in {draft}")
    write(file, text)
    draft.unlink()
    return _end(_definition(args.name, kind, shelf), True, out, settings)


def _kind(args: argparse.Namespace, verb: str, shelf: "Shelf", settings: "Settings") -> str:
    from ...store import Store

    if args.kind:
        return str(args.kind)
    kinds = [kind for kind in kinds_of(args.name, shelf, Store.at(settings)) if kind in KINDS]
    if not kinds:
        raise UsageError(f"{args.name} is a model, which has no text to {verb}", command("show", args.name))
    if len(kinds) > 1:
        more = [args.new] if verb == "copy" else []
        hint = command(verb, args.name, *more, "--kind", kinds[0])
        raise UsageError(f"{args.name} is the name of an assistant and of a panel", hint)
    return kinds[0]


def _definition(name: str, kind: str, shelf: "Shelf") -> "Assistant | Panel":
    return shelf.assistant(name) if kind == "assistant" else shelf.panel(name)


def _read(text: str, name: str, kind: str, file: Path) -> None:
    """UsageError where the text is no definition."""
    from ...assistant import Assistant, Panel

    (Assistant if kind == "assistant" else Panel).from_toml(text, name, str(file))


def _open_editor(draft: Path, out: Output, settings: "Settings") -> None:
    import shlex
    import shutil

    from ...children import hand_over

    editor = settings.editor or next(filter(shutil.which, _EDITORS), None)
    if editor is None:
        raise PluriverseError("no editor is known here", "set EDITOR to the command that opens one, such as nano")
    try:
        words = shlex.split(editor)
        _tell_leaving(words, out)
        out.flush()
        code = hand_over([*words, str(draft)], stdout=sys.stderr if out.json else None)
    except (OSError, ValueError) as error:
        raise PluriverseError(f"the editor {editor!r} cannot be started: {error}", "set EDITOR to another") from error
    if code:
        hint = f"what was typed is in {draft}"
        raise PluriverseError(f"the editor {editor!r} ended with code {code}, so nothing is changed", hint)


def _tell_leaving(words: list[str], out: Output) -> None:
    """An editor that nobody chose should not be a trap."""
    program = Path(words[0]).stem if words else ""
    if program in _LEAVING:
        out.note(f"opening {program}: {_LEAVING[program]}")


def _again(error: PluriverseError, out: Output) -> bool:
    """Whether a person wants to mend it at once."""
    if not (out.terminal and sys.stdin.isatty()):
        return False
    out.trouble(error)
    try:
        return input("edit it again? [Y/n] ").strip().lower() not in {"n", "no"}
    except EOFError:
        return False


def _end(made: "Assistant | Panel", changed: bool, out: Output, settings: "Settings") -> int:
    from ...assistant.shelf import place_of

    place = str(place_of(made))
    out.document(_document(made, settings) | {"path": place, "changed": changed})
    out.line(place)
    if not changed:
        out.note("nothing was changed")
    return 0


def _document(made: "Assistant | Panel", settings: "Settings") -> dict[str, object]:
    """As JSON; an assistant's definition is kept in the store as it is now."""
    from ...assistant import Assistant
    from ...assistant.listing import listed
    from ...runtime.making import keep_definition
    from ...store import Store

    if not isinstance(made, Assistant):
        return panel_document(made)
    store = Store.at(settings)
    if not made.builtin:
        keep_definition(made, store, settings)
    base, default = base_of(made.base, store, settings), default_base(store, settings)
    return assistant_document(listed(made), base, default, settings)


def copy(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from dataclasses import replace

    from ...assistant import Assistant, Shelf

    shelf = Shelf(settings)
    found = _definition(args.name, _kind(args, "copy", shelf, settings), shelf)
    made = replace(found, name=args.new, path=None, builtin=False, shadows=False)
    if isinstance(made, Assistant):
        made = _alone(made, shelf, out)
        path = shelf.write(made, overwrite=args.force)
        with undone([path], args.force):
            document = _document(made, settings)
    else:
        path = shelf.write_panel(made, overwrite=args.force)
        document = _document(made, settings)
    out.document(document | {"path": str(path)})
    out.line(str(path))
    out.note(f"change it: {command('edit', args.new)}")
    return 0


def _alone(made: "Assistant", shelf: "Shelf", out: Output) -> "Assistant":
    """A copy has no counterpart, since a pair is two that name each other; it is guided against the same words."""
    from dataclasses import replace

    from ...assistant import Guidance
    from ...assistant.guidance import COUNTERPART, PLAIN

    if made.counterpart is None:
        return made
    guidance = made.guidance
    if guidance is not None and guidance.against == COUNTERPART:
        other = shelf.assistant(made.counterpart)
        guidance = Guidance(other.system or PLAIN, guidance.strength) if other.system or made.system else None
    out.note(f"the counterpart {made.counterpart} stays with the original; the copy is guided against the same words"
             if guidance else f"the counterpart {made.counterpart} stays with the original")  # fmt: skip
    return replace(made, counterpart=None, guidance=guidance)
