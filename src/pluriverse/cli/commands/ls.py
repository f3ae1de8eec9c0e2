"""`pluriverse ls`: the assistants, panels, models and adapters that are here."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from ...errors import PluriverseError
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import size

if TYPE_CHECKING:
    from ...assistant.bases import Base
    from ...assistant.listing import Listed
    from ...settings import Settings
    from ...store import Store, StoredModel


def add(commands: Commands) -> None:
    commands.add(
        "ls", "list the assistants, panels and models on this machine", run, example="pluriverse ls", group=GROUPS[1]
    )


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import gc

    gc.disable()  # with ten thousand assistants a fifth of the time would go into looking for cycles; there are none
    try:
        return _run(out, settings)
    finally:
        gc.enable()


def _run(out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...store import Store
    from .panel import document_of as panel_document

    shelf, store = Shelf(settings), Store.at(settings)
    assistants, problems = shelf.listing()
    panels, stored = shelf.panels(), store.models()
    bases = {base: base_of(base, store, settings) for base in {each.base for each in assistants}}
    default = default_base(store, settings)
    for problem in problems:
        out.warn(problem.message)
    if out.json:  # made only where it is shown: of ten thousand it takes as long as reading them
        folder = str(settings.assistants)
        out.document(
            {
                "assistants": [
                    assistant_document(each, bases[each.base], default, settings, folder) for each in assistants
                ],
                "panels": [panel_document(panel) for panel in panels],
                "models": [model_document(each) for each in stored if each.kind == "model"],
                "adapters": [model_document(each) for each in stored if each.kind == "adapter"],
                "home": str(settings.home),
            }
        )
        return 0
    _assistants(out, assistants)
    out.line()
    out.line(bold("Panels"))
    out.table(("NAME", "MEMBERS"), [(panel.name, panel.members) for panel in panels])
    _models(out, "Models", [each for each in stored if each.kind == "model"])
    _models(out, "Adapters", [each for each in stored if each.kind == "adapter"])
    out.line()
    out.line(bold("Data folder"))
    out.line(str(settings.home))
    for each in sorted({base.name for base in bases.values() if base and base.may_change}):
        out.note(f"{each}: weights unknown, may change")
    if not any(bases.values()):
        out.note(f"\nno model is here yet; the first ask fetches {default} (or: pluriverse pull {default})")
    return 0


def _assistants(out: Output, assistants: "list[Listed]") -> None:
    out.line(bold("Assistants"))
    rows = [(each.name, ",".join(each.languages), each.dimension, each.title) for each in assistants]
    out.table(("NAME", "LANGUAGES", "DIMENSION", "WHO IT IS"), rows, spare=("DIMENSION", "LANGUAGES"))


def _models(out: Output, title: str, stored: "list[StoredModel]") -> None:
    if not stored:
        return
    out.line()
    out.line(bold(title))
    rows = [
        (
            each.name,
            size(each.bytes) + (" + eyes" if each.projector else ""),
            each.quantization or "",
            each.licence or "",
            each.digest.short,
        )
        for each in stored
    ]
    out.table(("NAME", "SIZE", "QUANTIZATION", "LICENCE", "DIGEST"), rows, spare=("DIGEST", "LICENCE"))


def assistant_document(
    assistant: "Listed", base: "Base | None", default: str, settings: "Settings", folder: str | None = None
) -> dict[str, Any]:
    """An assistant in a list: `digest` is its definition's; `base`: what it speaks through, None where that is not on
    this machine. `default`: what "default" stands for (`default_base`). `folder`: where the user's lie, for who has it
    at hand.
    """
    from ...assistant.shelf import STARTER

    guidance = assistant.guidance
    return {
        "name": assistant.name,
        "kind": "prompt",
        "title": assistant.title,
        "base": base_name(assistant.base, default),
        "base_here": base is not None,
        "may_change": base is not None and base.may_change,
        "digest": assistant.digest,
        "languages": list(assistant.languages),
        "outlook": {
            "dimension": assistant.dimension,
            "position": assistant.position,
            "summary": assistant.summary,
        },
        "counterpart": assistant.counterpart,
        "guidance": None if guidance is None else {"against": guidance[0], "strength": guidance[1]},
        "builtin": assistant.builtin,
        "shadows": assistant.shadows,
        "path": f"{STARTER if assistant.builtin else folder or settings.assistants}{os.sep}{assistant.name}.toml",
    }


def base_name(base: str, default: str) -> str:
    return default if base == "default" else base


def default_base(store: "Store", settings: "Settings") -> str:
    """The name of the model behind "default"."""
    from ...assistant.bases import meant

    return meant("default", store, settings)


def base_of(ref: str, store: "Store", settings: "Settings") -> "Base | None":
    """The base, where it can be loaded without a download."""
    from ...assistant.bases import resolve

    try:
        return resolve(ref, store, settings)
    except PluriverseError:
        return None


def model_document(stored: "StoredModel") -> dict[str, Any]:
    return {
        "name": stored.name,
        "kind": stored.kind,
        "digest": stored.digest,
        "bytes": stored.bytes,
        "architecture": stored.architecture,
        "parameters": stored.parameters,
        "quantization": stored.quantization,
        "context_length": stored.context_length,
        "licence": stored.licence,
        "source": str(stored.source) if stored.source else None,
        "path": str(stored.path),
        "store": str(stored.store),
        "annotations": dict(stored.annotations),
        "projector": stored.projector.as_dict() if stored.projector else None,
    }
