"""What exists in the world and can be pulled: entries as data, and how a reference is understood.

`data/`: one file an entry, by maker, and `index.json`, which is read; `tools/catalogue.py` makes both. A new fact: the
field in `entry` and its check in `schema`. A licence: `data/licences.toml`. Users and organisations have folders of the
same files. Knows no models on this machine and no network: it says where bytes may come from, `store` fetches them.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from ..errors import UsageError
from ..values import HubSource, Pullable
from .carriers import carrier
from .entry import Entry
from .fit import Machine, pullable_for
from .ladder import model_of
from .reading import Catalogue, ours, read
from .references import FORMS, understood

__all__ = ["Catalogue", "Entry", "entries", "find", "parse", "projector_of", "read"]


def entries(folders: Sequence[Path] = ()) -> list[Entry]:
    """All entries, in the order of their ids; with those of `folders` where they can be read."""
    return list(_by_id(folders).values())


def find(name: str, folders: Sequence[Path] = ()) -> Pullable | None:
    """What is pulled under a catalogue name or that of a rung; None if the catalogue has no such entry, or nothing to
    pull of it."""
    model = model_of(name)
    if entry := _by_id(folders).get(model):
        return entry.pullable() if entry.can_be_pulled else None
    carried = carrier(model)
    return carried.pullable() if carried else None


def parse(ref: str, folders: Sequence[Path] = (), machine: Machine | None = None) -> Pullable:
    """Understand a reference as a user types it, the name of a rung too; of an entry, for a `machine`, the best
    quantisation that fits it.

    UsageError, with the forms there are, for anything else; UnsupportedError for an entry of which there is nothing to
    pull, or that does not fit.
    """
    known = _by_id(folders)
    model = model_of(ref)
    if entry := known.get(model):
        return entry.pullable() if machine is None else pullable_for(entry, machine)
    if carried := carrier(model):
        return carried.pullable()
    if other := understood(ref):
        return other
    longer = [name for name in known if len(ref) > 2 and name.startswith(ref.lower())]
    close = next(iter(longer or get_close_matches(ref.lower(), list(known), 1)), None)
    hint = f"did you mean {close}?" if close else f"give {FORMS}; see the names: pluriverse catalogue"
    raise UsageError(f"{ref!r} is not known", hint)


def projector_of(model: Pullable, ref: str) -> Pullable:
    """What `ref` names as a projector of a model; "": the one that lies in the model's own hub repository.

    UsageError as `parse`, and where the model has no such repository.
    """
    if ref:
        if found := understood(ref):
            return found
        raise UsageError(f"{ref!r} is no reference to a projector", f"give {FORMS.partition(', ')[2] or FORMS}")
    source = next((each for each in model.sources if isinstance(each, HubSource)), None)
    if source is None:
        raise UsageError(f"{model.name} comes from no hub repository", "name the file: --projector MMPROJ.gguf")
    beside = HubSource(source.repository, ":mmproj", source.revision)
    return Pullable.of_file(str(beside), f"{model.name}-mmproj", beside)


def _by_id(folders: Sequence[Path]) -> dict[str, Entry]:
    return read(folders).entries if folders else ours()
