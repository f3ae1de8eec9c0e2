"""What clients may call a model: every assistant, and every base model that is here.

A name never opens a file or a connection: only what the shelf, the store and the ladder know is found. Knows names and
workspaces; nothing of HTTP.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..assistant import Assistant
from ..assistant.bases import meant
from ..catalogue.ladder import model_of, rungs
from ..errors import NotFoundError
from ..runtime.workspace import Workspace
from ..store import StoredModel
from ..values import Digest

PLAIN = "plain"  # the name of an assistant that is a base as it is


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of a list of models. `parent`: the base of an assistant; None for a base itself."""

    name: str
    title: str
    parent: str | None
    weights: Digest | None  # of the base, where it is here
    definition: Digest | None  # of the assistant
    adapter: Digest | None
    bytes: int
    architecture: str
    quantization: str
    licence: str | None = None

    def as_dict(self) -> dict[str, object]:
        """What is told of it beside the fields of other APIs."""
        return {"title": self.title, "weights": self.weights, "definition": self.definition, "adapter": self.adapter,
                "licence": self.licence}  # fmt: skip


def listed(workspace: Workspace) -> Iterator[Named]:
    """Assistants by name, then the bases that are here."""
    models = {each.name: each for each in workspace.store.models() if each.kind == "model"}
    default = _default(workspace)
    for each in workspace.shelf.assistants():
        parent = default if each.base == "default" else model_of(each.base)
        model = models.get(parent)
        yield _named(each.name, each.title, parent, model, each.digest, each.adapter)
    for name, model in models.items():
        yield _named(name, name, None, model)


def _named(
    name: str,
    title: str,
    parent: str | None,
    model: StoredModel | None,
    definition: Digest | None = None,
    adapter: Digest | None = None,
) -> Named:
    if model is None:
        return Named(name, title, parent, None, definition, adapter, 0, "", "")
    return Named(
        name, title, parent, model.digest, definition, adapter, model.bytes, model.architecture or "",
        model.quantization or "", model.licence,
    )  # fmt: skip


def speaker(workspace: Workspace, name: str) -> Assistant:
    """The assistant of that name; of a base's name, the base as it is, told nothing. NotFoundError."""
    try:
        return workspace.shelf.assistant(name)
    except NotFoundError:
        if not is_base(workspace, name):
            raise NotFoundError(
                f"there is no assistant and no model called {name[:200]!r}", "see them all: GET /v1/models"
            ) from None
        return Assistant(PLAIN, name, base=name)


def checked_base(workspace: Workspace, name: str | None) -> str | None:
    """NotFoundError for what is no base of this machine, or of the ladder."""
    if name is None or is_base(workspace, name):
        return name
    raise NotFoundError(f"there is no model called {name[:200]!r} here", "see them all: GET /v1/models")


def base_of(workspace: Workspace, name: str) -> str:
    """The base behind a name: itself, or the one that an assistant speaks through. NotFoundError."""
    return speaker(workspace, name).base


def is_base(workspace: Workspace, name: str) -> bool:
    known = {"default", workspace.settings.base, *(each.name for each in rungs())}
    return name in known or any(each.name == name for each in workspace.store.models() if each.kind == "model")


def _default(workspace: Workspace) -> str:
    return model_of(meant("default", workspace.store, workspace.settings))
