"""The stores of this machine as one: the home store, which is written, and others beside it, which are only read.

Knows names, digests and manifests. Does not know networks (`pull`) or what a model is used for.
"""

import contextlib
import difflib
import os
import re
import shutil
import stat
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..errors import IntegrityError, NotFoundError, PluriverseError, UsageError
from ..settings import Settings
from ..values import Digest, Pullable, Work
from . import manifests, works
from .gguf import Header
from .layout import NAME, Layout
from .manifests import P, StoredModel
from .parts import ENDS
from .sources.local import files_in
from .verifying import Verified, VerifyProgress, verify
from .works import Origin, StoredWork

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Removed:
    name: str
    bytes: int  # that `gc` would free


@dataclass(frozen=True, slots=True)
class Collected:
    """What `gc` dropped: in all, and how much of that was unfinished work (downloads, wheels, copies)."""

    blobs: int
    bytes: int
    unfinished: int = 0
    unfinished_bytes: int = 0


class Store:
    """`root` is written, `beside` are only read. Nothing is created before something is written."""

    def __init__(self, root: Path, beside: Sequence[Path] = ()) -> None:
        self.home = Layout(root)
        self._beside = [Layout(path) for path in beside if path != root]

    @classmethod
    def at(cls, settings: Settings) -> Self:
        return cls(settings.store, settings.stores)

    @property
    def layouts(self) -> list[Layout]:
        return [self.home, *self._beside]

    def models(self) -> list[StoredModel]:
        """Models and adapters of all stores by name, home first; a name that two stores have is the first one's."""
        found: dict[str, StoredModel] = {}
        for layout in self.layouts:
            for entry in layout.index():
                name = entry["annotations"][NAME]
                if entry.get("artifactType") == manifests.MODEL_TYPE and name not in found:
                    found[name] = self._model(layout, name, Digest(entry["digest"]))
        return sorted(found.values(), key=lambda model: model.name)

    def find(self, name_or_digest: str) -> StoredModel:
        """By name, by digest, or by the first twelve or more hex digits of one. NotFoundError, with near names."""
        models = self.models()
        by_name = [model for model in models if model.name == name_or_digest]
        wanted = name_or_digest.removeprefix("sha256:")
        by_digest = [model for model in models if len(wanted) >= 12 and model.digest.hex.startswith(wanted)]
        if by_name or by_digest:
            return (by_name or by_digest)[0]
        near = self.near(name_or_digest)
        hint = f"did you mean {near}?" if near else "see what is here: pluriverse ls"
        raise NotFoundError(f"no model is called {name_or_digest!r} on this machine", hint)

    def near(self, name: str) -> str | None:
        """The name of a model here that is most like `name`, if one is like it."""
        return next(iter(difflib.get_close_matches(name, [model.name for model in self.models()], n=1)), None)

    def has(self, digest: Digest) -> bool:
        return any(layout.has(digest) for layout in self.layouts)

    def path(self, digest: Digest) -> Path:
        """The file of a digest, in whichever store has it. NotFoundError."""
        for layout in self.layouts:
            if layout.has(digest):
                return layout.blob(digest)
        raise NotFoundError(f"{digest} is not on this machine", "pluriverse ls")

    def add_model(
        self, pullable: Pullable, digest: Digest, header: Header, source: str, file: Path | None = None
    ) -> None:
        """Give a digest its name in the home store.

        `file`: where the bytes are, complete and checked; they move into the store at the same moment, so that `gc`
        never sees them without a name. None: one of the stores has them.
        """
        role = manifests.kind_of(header)
        annotations = {P + "role": role, P + "source": source, **pullable.annotations}
        name = pullable.name
        with self.home.lock():
            size = (file or self.path(digest)).stat().st_size
            facts, eyes = manifests.config(name, digest, header, pullable.licence), self._eyes(name, digest)
            if eyes:
                facts["modelfs"]["diffIds"].append(eyes["digest"])
            config = self.home.add_document(facts)
            document = manifests.model(config, (digest, size), f"{name}.gguf", annotations)
            manifest = self.home.add_document(manifests.with_projector(document, eyes) if eyes else document)
            if file is not None:  # last: what fails before leaves no blob without a name
                self.home.adopt(file, digest)
            self.home.point(name, *manifest, manifests.MODEL_TYPE, {P + "role": role})

    def add_projector(self, model: str, digest: Digest, source: str, file: Path | None = None) -> None:
        """Give the model of that name a projector, in the place of another if it has one. `file` as in `add_model`.

        A model of a store beside this one gets its name here too. NotFoundError where there is no such model.
        """
        place = self.find(model)
        layout = next(each for each in self.layouts if each.root == place.store)
        with self.home.lock():
            entry = next(each for each in layout.index() if _is_model(each, model))
            size = (file or self.path(digest)).stat().st_size
            earlier = layout.document(Digest(entry["digest"]))
            document = manifests.with_projector(earlier, manifests.projector_layer((digest, size), model, source))
            facts = layout.document(Digest(earlier["config"]["digest"]))
            facts = {**facts, "modelfs": {"type": "layers", "diffIds": [place.digest, digest]}}
            config = self.home.add_document(facts)
            document["config"] = {**document["config"], "digest": config[0], "size": config[1]}
            manifest = self.home.add_document(document)
            if file is not None:
                self.home.adopt(file, digest)
            self.home.point(model, *manifest, manifests.MODEL_TYPE, {P + "role": place.kind})

    def _eyes(self, name: str, digest: Digest) -> manifests.Document | None:
        """The projector's layer of a model that is here already, under that name and with these weights."""
        for entry in self.home.index():
            if _is_model(entry, name):
                known = self.home.document(Digest(entry["digest"]))
                return manifests.projector_of(known) if known["layers"][0]["digest"] == digest else None
        return None

    def put_assistant(self, name: str, toml: str, base: Digest | None) -> Digest:
        """Keep an assistant's definition as it is now, under its digest; the digest of its manifest."""
        check_name(name)
        given = {P + "role": "assistant", **({P + "base.digest": base} if base else {})}
        data = toml.encode()
        with self.home.lock():
            empty = (self.home.add_bytes(_EMPTY), len(_EMPTY))
            manifest = manifests.assistant((self.home.add_bytes(data, private=True), len(data)), empty, given)
            digest, size = self.home.add_document(manifest)
            self.home.point(name, digest, size, manifests.ASSISTANT_TYPE, {P + "role": "assistant"})
        return digest

    def works(self, texts: Collection[Digest]) -> dict[Digest, StoredWork]:
        """The works with these texts, as far as a store knows them."""
        return works.find(self.layouts, texts)

    def add_work(self, work: Work, parts: Mapping[str, bytes], origin: Origin | None = None) -> StoredWork:
        """Keep parts of a work in the home store, as `works.add` does."""
        return works.add(self.home, work, parts, origin)

    def holding_works(self) -> AbstractContextManager[None]:
        """Around adding works and writing the file of the assistant that they are for; see `works.holding`."""
        return works.holding(self.home)

    def forget_works(self, used: Collection[Digest]) -> int:
        """Drop works that nobody answers from any more; how many. As `works.forget_unused`."""
        return works.forget_unused(self.home, used) if self.home.root.exists() else 0

    def remove(self, name: str) -> Removed:
        """Forget a model's name in the home store; its bytes go at `gc`, if nothing else needs them."""
        if name not in {entry["annotations"][NAME] for entry in self.home.index()}:
            place = self.find(name).store
            raise PluriverseError(f"{name} is in {place}, which is only read from here", "remove it there")
        before = sum(size for _, size in self._unused())
        self._forget(name, manifests.MODEL_TYPE)
        return Removed(name, sum(size for _, size in self._unused()) - before)

    def forget_assistant(self, name: str) -> None:
        """Drop the kept definition of an assistant, if there is one."""
        if any(entry.get("artifactType") == manifests.ASSISTANT_TYPE for entry in self.home.index()):
            self._forget(name, manifests.ASSISTANT_TYPE)

    def gc(self, *, keep_partial_days: float = 0) -> Collected:
        """Delete blobs that nothing points to, and unfinished work that no process holds and nobody has touched for
        `keep_partial_days`.

        Safe beside a running pull: blobs and names appear under one lock, and what is in use is locked.
        """
        if not self.home.root.exists():
            return Collected(0, 0)
        with self.home.lock():
            freed = [size for path, size in self._unused() if _unlink(path)]
            partial = list(self._drop_unfinished(time.time() - keep_partial_days * 86400))
        return Collected(len(freed) + len(partial), sum(freed) + sum(partial), len(partial), sum(partial))

    def verify(self, names: Sequence[str] = ()) -> Iterator[VerifyProgress | Verified]:
        """Read every byte of the named models (default: everything in all stores) and compare digests."""
        known = {entry["annotations"][NAME] for layout in self.layouts for entry in layout.index()}
        for name in names:
            if name not in known:
                self.find(name)  # raises, with near names
        return verify(self.layouts, names)

    def _forget(self, name: str, artifact_type: str) -> None:
        with self.home.lock():
            entries = self.home.index()
            kept = [e for e in entries if (e["annotations"][NAME], e.get("artifactType")) != (name, artifact_type)]
            self.home.write_index(kept)

    def _model(self, layout: Layout, name: str, digest: Digest) -> StoredModel:
        manifest = layout.document(digest)
        config = layout.document(Digest(manifest["config"]["digest"]))

        def path(blob: Digest) -> Path:
            return next((each.blob(blob) for each in [layout, *self.layouts] if each.has(blob)), layout.blob(blob))

        return manifests.stored(name, manifest, config, layout.root, path)

    def _unused(self) -> list[tuple[Path, int]]:
        """Blobs of the home store that no manifest needs."""
        used: set[str] = set()
        for entry in self.home.index():
            digest = Digest(entry["digest"])
            used.add(digest.hex)
            try:
                used |= {blob.hex for blob, _ in manifests.blobs(self.home.document(digest))}
            except IntegrityError:
                continue  # `verify` speaks of it
        found = []
        for path in self.home.blobs.iterdir() if self.home.blobs.exists() else ():
            if path.name not in used:
                with contextlib.suppress(FileNotFoundError):  # a document that was being written
                    found.append((path, _freed(path.lstat())))
        return found

    def _drop_unfinished(self, before: float) -> Iterator[int]:
        """Bytes freed, one by one. All in `incoming` is called after the lock that its maker holds."""
        for begun in (".new-*", ".index.json.*", ".oci-layout.*"):  # being written when their process was killed
            for path in self.home.root.glob(begun):
                yield from _dropped(path)
        for path in self.home.incoming.glob("*"):
            if path.suffix == ".lock":
                continue
            with self.home.lock(path.stem if path.suffix in ENDS else path.name, wait=False) as held:
                if held and _touched(path) <= before:
                    yield from _dropped(path)


def _is_model(entry: manifests.Document, name: str) -> bool:
    return bool(entry["annotations"][NAME] == name and entry.get("artifactType") == manifests.MODEL_TYPE)


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a name", "use lower-case letters, digits, dots, hyphens; e.g. my-model")


def _touched(path: Path) -> float:
    """When it, or the newest file in it, was last written; 0 where it is gone."""
    files = [file for file, _ in files_in(path)] or [path]
    with contextlib.suppress(OSError):
        return max(file.lstat().st_mtime for file in files)
    return 0


def _dropped(path: Path) -> Iterator[int]:
    """Delete a file, or a folder with all in it; yields what each file freed."""
    try:
        found = path.lstat()
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode):
        sizes = [size for _, size in files_in(path)]
        shutil.rmtree(path, ignore_errors=True)
        yield from sizes
    else:
        path.unlink(missing_ok=True)
        if path.suffix != ".note":
            yield _freed(found)


def _freed(found: os.stat_result) -> int:
    """What deleting a file gives back: nothing where the user has it under another name."""
    return found.st_size if found.st_nlink == 1 else 0


def _unlink(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True
