"""Which model a base's reference stands for on this machine, and whether it is here.

Reads the store and the catalogue; fetches and loads nothing.
"""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import doors
from ..catalogue.ladder import model_of
from ..errors import NotFoundError, UsageError
from ..settings import Settings
from ..values import Digest, PathSource, Pullable, Source, names_of_parts
from .copies import Copies
from .default_base import BaseChosen, chosen

if TYPE_CHECKING:
    from ..store import Store, StoredModel

LOCAL, SCRIPTED = "local", "scripted"


@dataclass(frozen=True, slots=True)
class Base:
    """A base that can be loaded now, and the kind of engine that it is for (a name behind the door `engines`).

    Only one of kind `local` has a file and its digest. What a name stands for elsewhere, its engine finds out.
    """

    name: str
    digest: Digest | None
    path: Path | None
    kind: str
    projector: Path | None = None  # with which it sees pictures

    @property
    def may_change(self) -> bool:
        """Whether nobody here knows what weights its name stands for; a script is no model and has none."""
        return self.digest is None and self.kind != SCRIPTED


class NotPulled(NotFoundError):
    """The base is known, but its bytes are not on this machine; `pullable` says what to pull.

    `choice`: how this machine came to it, where "default" was asked for.
    """

    def __init__(self, pullable: Pullable, choice: BaseChosen | None = None) -> None:
        file = next((each.path for each in pullable.sources if isinstance(each, PathSource)), None)
        where = f"{file} is not in the store yet" if file else f"the model {pullable.name} is not on this machine yet"
        super().__init__(where, f"pluriverse pull {shlex.quote(pullable.ref)}")
        self.pullable, self.choice = pullable, choice


def choice_of(ref: str, store: "Store", settings: Settings) -> BaseChosen | None:
    """What this machine makes of "default"; None for any other name, and where the settings name a model."""
    return chosen(store, settings) if ref == settings.base == "default" else None


def meant(ref: str, store: "Store", settings: Settings) -> str:
    """The model that "default" or the name of a rung stands for; any other name is itself."""
    if choice := choice_of(ref, store, settings):
        return choice.rung.model
    name = settings.base if ref == "default" else ref
    if (model := model_of(name)) == name or any(each.name == name for each in store.models()):
        return name
    return model


def resolve(ref: str, store: "Store", settings: Settings) -> Base:
    """The base that `ref` stands for.

    A copy that was chosen to speak for a model (`copies`) is what its name stands for.
    `ref`: "default" (what the settings or this machine say), a rung of the ladder, "scripted[:SCRIPT]", the name or
    digest of a model in the stores, anything that can be pulled, or KIND:REST where a package brings engines of that
    KIND. Raises NotPulled for a model that is known but not here, NotFoundError for one that nobody knows, UsageError
    for an adapter.
    """
    choice = choice_of(ref, store, settings)
    ref = choice.rung.model if choice else meant(ref, store, settings)
    original, copy = ref, Copies(settings.home).all().get(ref)
    if copy is not None and any(model.name == copy for model in store.models()):
        ref = copy
    if ref == SCRIPTED or ref.startswith(f"{SCRIPTED}:"):
        return Base(ref, None, None, SCRIPTED)
    try:
        base = _local(store.find(ref))
        return base if original == ref else replace(base, projector=base.projector or _projector(original, store))
    except NotFoundError as unknown:
        return _by_catalogue(ref, store, settings, unknown, choice)


def _by_catalogue(
    ref: str, store: "Store", settings: Settings, unknown: NotFoundError, choice: BaseChosen | None
) -> Base:
    from .. import catalogue

    try:
        pullable = catalogue.parse(ref, settings.catalogues)
    except (UsageError, NotFoundError) as unclear:
        kind, colon, _ = ref.partition(":")
        if kind not in {LOCAL, SCRIPTED} and kind in doors.names("engines"):
            if colon:
                return Base(ref, None, None, kind)
            raise NotFoundError(unknown.message, f"{kind} is a kind of engine: write {kind}:NAME") from None
        if isinstance(unclear, UsageError) and not store.near(ref):
            raise NotFoundError(unknown.message, unclear.hint) from None
        raise unknown from None
    if pullable.digest is not None and store.has(pullable.digest):
        named = next((each for each in store.models() if each.digest == pullable.digest), None)
        here = store.path(pullable.digest)
        return Base(pullable.name, pullable.digest, here, LOCAL, _projector(named.name, store) if named else None)
    if pullable.digest is None and (model := _pulled_from(pullable.sources, store)):
        return _local(model)
    from ..store.sources.local import problem_of

    for source in pullable.sources:
        if isinstance(source, PathSource) and (problem := problem_of(source.path)):
            raise NotFoundError(problem.message, problem.hint)
    raise NotPulled(pullable, choice)


def _pulled_from(sources: tuple[Source, ...], store: "Store") -> "StoredModel | None":
    """The model that came from one of `sources`. Not from a file that has changed since."""
    for source in sources:
        for model in store.models():
            if model.source == str(source) and (not isinstance(source, PathSource) or _as_pulled(source.path, model)):
                return model
    return None


def _as_pulled(file: Path, model: "StoredModel") -> bool:
    parts = [file.with_name(name) for name in names_of_parts(file.name)]
    try:
        theirs, ours = file.stat(), model.path.stat()
        if len(parts) > 1:
            return max(part.stat().st_mtime for part in parts) <= ours.st_mtime
    except OSError:  # it is gone since: what was pulled is what there is
        return model.path.exists()
    same = (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)
    return same or (theirs.st_size == ours.st_size and theirs.st_mtime <= ours.st_mtime)


def _local(model: "StoredModel") -> Base:
    if model.kind != "model":
        raise UsageError(f"{model.name} is an {model.kind}; a base is a whole model", "see the models: pluriverse ls")
    return Base(model.name, model.digest, model.path, LOCAL, model.projector.path if model.projector else None)


def _projector(name: str, store: "Store") -> Path | None:
    """That of the model of this name, also for a copy of it in another quantization."""
    model = next((each for each in store.models() if each.name == name), None)
    return model.projector.path if model and model.projector else None
