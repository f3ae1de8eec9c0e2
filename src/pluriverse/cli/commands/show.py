"""`pluriverse show`: everything about one assistant, panel, model or adapter."""

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from ...errors import NotFoundError, command
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands, near
from ..terminal.text import size
from .ls import assistant_document, base_name, base_of, default_base, model_document
from .panel import file_of, show_panel

if TYPE_CHECKING:
    from ...assistant import Assistant, Shelf
    from ...assistant.per_base import OnOneBase
    from ...settings import Settings
    from ...store import Store, StoredModel


def add(commands: Commands) -> None:
    example = "pluriverse show duty"
    parser = commands.add(
        "show", "show everything about an assistant, panel or model", run, example=example, group=GROUPS[1]
    )
    parser.add_argument("name", metavar="NAME", help="an assistant, a panel, a model, or a digest")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...store import Store

    shelf, store = Shelf(settings), Store.at(settings)
    with suppress(NotFoundError):
        assistant = shelf.assistant(args.name)
        _show_assistant(assistant, store, out, settings)
        return 0
    with suppress(NotFoundError):
        show_panel(shelf.panel(args.name), shelf, out)
        return 0
    _show_model(_stored(args.name, shelf, store), out)
    return 0


def _stored(name: str, shelf: "Shelf", store: "Store") -> "StoredModel":
    try:
        return store.find(name)
    except NotFoundError:
        named = [*sorted(shelf.names()), *(each.name for each in store.models())]
        close = near(name, named)
        hint = f"did you mean `{command('show', close)}`?" if close else "see all that is here: pluriverse ls"
        raise NotFoundError(f"no assistant, panel or model is called {name!r}", hint) from None


def _show_assistant(assistant: "Assistant", store: "Store", out: Output, settings: "Settings") -> None:
    from ...assistant.listing import listed
    from ...assistant.per_base import measured_on

    base, default = base_of(assistant.base, store, settings), default_base(store, settings)
    measured = measured_on(assistant)
    out.document(
        assistant_document(listed(assistant), base, default, settings)
        | {
            "system": assistant.system,
            "sampling": dict(assistant.sampling),
            "description": assistant.description,
            "adapter": assistant.adapter,
            "works": [{"work": each.id, "title": each.title, "digest": each.digest} for each in assistant.works],
            "measured_on": [each.as_dict() for each in measured],
        }
    )
    outlook = assistant.outlook
    out.line(bold(assistant.name), f"  {assistant.title}")
    out.line()
    out.fields(
        [
            ("outlook", ": ".join(filter(None, (outlook.dimension, outlook.position)))),
            ("", outlook.summary),
            ("counterpart", assistant.counterpart),
            ("guidance", _guidance(assistant)),
            *(("", _measured(each)) for each in measured),
            ("languages", ", ".join(assistant.languages)),
            ("base", base_name(assistant.base, default) + ("" if base else " (not here yet)")),
            ("weights", "unknown, may change" if base and base.may_change else None),
            ("adapter", assistant.adapter),
            ("works", _works(assistant)),
            ("sampling", ", ".join(f"{name} {value}" for name, value in assistant.sampling.items())),
            ("file", file_of(assistant)),
            ("data folder", str(settings.home)),
            ("digest", assistant.digest),
        ]
    )
    if assistant.description:
        out.line()
        out.paragraph(assistant.description)
    out.line()
    out.line(bold("System prompt"))
    out.paragraph(assistant.system or "(none)", indent=2)


def _guidance(assistant: "Assistant") -> str | None:
    guidance = assistant.guidance
    return f"against {guidance.against}, strength {guidance.strength:g}" if guidance else None


def _works(assistant: "Assistant") -> str | None:
    if not assistant.works:
        return None
    return f"{', '.join(work.title for work in assistant.works)} ({command('works', 'show', assistant.name)})"


def _measured(each: "OnOneBase") -> str:
    strength = "" if each.strength is None else f"strength {each.strength:g}, "
    prompt = "" if each.system is None else "a prompt of its own, "
    return f"{strength}{prompt}measured on {each.base}"


def _show_model(stored: "StoredModel", out: Output) -> None:
    out.document(model_document(stored))
    eyes = stored.projector
    out.line(bold(stored.name), f"  {stored.kind}")
    out.line()
    out.fields(
        [
            ("size", f"{size(stored.bytes)} ({stored.bytes:,} bytes)"),
            ("digest", stored.digest),
            ("architecture", stored.architecture),
            ("parameters", f"{stored.parameters:,}" if stored.parameters else None),
            ("quantization", stored.quantization),
            ("context", f"{stored.context_length:,} tokens" if stored.context_length else None),
            ("pictures", f"seen, with a projector of {size(eyes.bytes)} ({eyes.digest.short})" if eyes else None),
            ("licence", stored.licence),
            ("source", str(stored.source) if stored.source else None),
            ("file", str(stored.path)),
            ("store", str(stored.store)),
        ]
    )
