"""`pluriverse panel`: named lists of assistants that are asked together."""

import argparse
from typing import TYPE_CHECKING, Any

from ...errors import NotFoundError, PluriverseError, command
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands, names_of
from . import check

if TYPE_CHECKING:
    from ...assistant import Assistant, Panel, Shelf
    from ...settings import Settings


def add(commands: Commands) -> None:
    group = GROUPS[1]
    parser = commands.add(
        "panel", "lists of assistants that are asked together", ls, example="pluriverse panel ls", group=group
    )
    nested = Commands(parser, dest="panel_command")
    nested.add("ls", "list the panels", ls, example="pluriverse panel ls")
    shown = nested.add("show", "show a panel and its members", show, example="pluriverse panel show starter")
    shown.add_argument("name", metavar="NAME", help="the panel")
    checked = nested.add(
        "check", "measure how different the members of a panel are", check.run, example="pluriverse panel check"
    )
    check.add_arguments(checked)
    made = nested.add("new", "make a panel", new, example="pluriverse panel new mine duty,outcomes,scientist")
    made.add_argument("name", metavar="NAME", help="its name: small letters, digits and dashes")
    made.add_argument("members", metavar="A,B,C", help="its members, in the order in which they are shown")
    made.add_argument("--title", default="", help="what it is for, in a few words")
    made.add_argument("--description", default="", help="a longer description")
    made.add_argument("--force", action="store_true", help="replace a panel of that name")


def ls(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf

    panels = Shelf(settings).panels()
    out.document({"panels": [document_of(panel) for panel in panels]})
    if not out.json:
        rows = [(panel.name, str(len(panel.members)), panel.title) for panel in panels]
        out.table(("NAME", "MEMBERS", "WHAT IT IS FOR"), rows)
    return 0


def show(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf

    shelf = Shelf(settings)
    show_panel(shelf.panel(args.name), shelf, out)
    return 0


def show_panel(panel: "Panel", shelf: "Shelf", out: Output) -> None:
    """A panel in full; a member that is not here any more is marked."""
    out.document(document_of(panel))
    out.line(bold(panel.name), f"  {panel.title}")
    if panel.description:
        out.paragraph(panel.description)
    out.line()
    if not out.json:
        rows = [(name, _title(shelf, name)) for name in panel.members]
        out.table(("MEMBER", "WHO IT IS"), rows)
        out.line()
        out.fields([("file", file_of(panel))])


def file_of(definition: "Assistant | Panel") -> str:
    """Where it lies, in words."""
    from ...assistant.shelf import place_of

    change = f" (built in; to change it: {command('edit', definition.name)})" if definition.builtin else ""
    return f"{place_of(definition)}{change}"


def _title(shelf: "Shelf", name: str) -> str:
    try:
        return shelf.assistant(name).title
    except NotFoundError:
        return "(not here)"
    except PluriverseError:
        return "(cannot be read: pluriverse ls)"


def new(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Panel, Shelf

    shelf = Shelf(settings)
    panel = Panel(args.name, tuple(names_of(args.members)), args.title, args.description)
    path = shelf.write_panel(panel, overwrite=args.force)
    out.document(document_of(panel) | {"path": str(path)})
    out.line(str(path))
    out.note(f'try it: pluriverse ask "What makes a society fair?" --panel {panel.name}')
    return 0


def document_of(panel: "Panel") -> dict[str, Any]:
    from ...assistant.shelf import place_of

    return {
        "name": panel.name,
        "kind": "panel",
        "title": panel.title,
        "description": panel.description,
        "members": list(panel.members),
        "builtin": panel.builtin,
        "path": str(place_of(panel)),
    }
