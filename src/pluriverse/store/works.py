"""Works in a store: a text by its digest, with what was made of it, under one manifest.

A part is a blob with a name: "text", "words" (the index), "vectors.MODEL". Parts come one by one, from several
processes at once, and each is there whole or not at all. Knows layouts and manifests; not what is in a part.
"""

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path

from ..errors import IntegrityError
from ..values import Digest, Work
from . import manifests
from .layout import NAME, Document, Layout
from .manifests import WORK_TYPE, P

_TEXT = P + "text"  # annotation of an entry in the index: the digest of the work's text

_HOLD, _SLOTS = "works-", 64  # locks of those who add works at the same time


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a text was read from, as it was then. `digest` is that of the file's bytes."""

    path: str
    bytes: int
    modified_ns: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class StoredWork:
    """A work that stores know. `parts`: digest and bytes of each part, by name."""

    name: str  # in the index of its store
    work: Work
    origin: Origin | None
    parts: Mapping[str, tuple[Digest, int]]
    layouts: Sequence[Layout]

    def path(self, part: str) -> Path | None:
        """The file of a part; None where there is no such part, or its bytes are gone."""
        if part not in self.parts:
            return None
        digest = self.parts[part][0]
        return next((path for path in (layout.blob(digest) for layout in self.layouts) if path.exists()), None)


def find(layouts: Sequence[Layout], texts: Collection[Digest]) -> dict[Digest, StoredWork]:
    """The works with these texts that are known, as the first layout describes them, with the parts that any has."""
    found: dict[Digest, StoredWork] = {}
    for layout in layouts:
        for entry in _entries(layout):
            if (text := entry["annotations"].get(_TEXT)) in texts:
                with contextlib.suppress(IntegrityError, KeyError, TypeError, ValueError):  # `verify` speaks of it
                    here = _stored(layouts, layout, entry)
                    first = found.setdefault(text, here)
                    found[text] = replace(first, parts={**here.parts, **first.parts})
    return found


def add(layout: Layout, work: Work, parts: Mapping[str, bytes], origin: Origin | None = None) -> StoredWork:
    """Add parts to a work, or replace those of the same name; the work becomes known with its first part.

    Whatever has the digest of a part and is not what the digest says is written anew. NoSpaceError, PluriverseError.
    """
    with layout.lock():
        known = find([layout], {work.digest}).get(work.digest)
        named = (
            each["annotations"][NAME] for each in _entries(layout) if each["annotations"].get(_TEXT) == work.digest
        )
        name = next(named, f"{work.id}.{work.digest.short}")
        if known and origin is None:
            work, origin = known.work, known.origin
        blobs = dict(known.parts) if known else {}
        for part, data in parts.items():
            blobs[part] = (layout.add_bytes(data, private=True, mend=True), len(data))
        config = layout.add_document(
            manifests.work_config(asdict(work), asdict(origin) if origin else None), private=True, mend=True
        )
        manifest = layout.add_document(manifests.work(config, blobs), mend=True)
        layout.point(name, *manifest, WORK_TYPE, {P + "role": "work", _TEXT: work.digest})
    return StoredWork(name, work, origin, blobs, [layout])


_Described = tuple[Work, Origin | None, dict[str, tuple[Digest, int]]]
_MOST_KNOWN = 2000
_known: dict[tuple[Path, Digest], _Described] = {}


@contextlib.contextmanager
def holding(layout: Layout) -> Iterator[None]:
    """Around adding works and writing down whose they are: until then `forget_unused` forgets nothing."""
    with contextlib.ExitStack() as locks:
        next((slot for slot in range(_SLOTS) if locks.enter_context(layout.lock(f"{_HOLD}{slot}", wait=False))), None)
        yield


def forget_unused(layout: Layout, used: Collection[Digest]) -> int:
    """Drop the works whose texts are not `used`; how many. Their bytes go at `gc`. None while somebody adds works."""
    with layout.lock():
        for path in layout.incoming.glob(f"{_HOLD}*.lock"):
            with layout.lock(path.stem, wait=False) as free:
                if not free:
                    return 0
        entries = layout.index()
        kept = [entry for entry in entries if not _is_work(entry) or entry["annotations"].get(_TEXT) in used]
        if len(kept) < len(entries):
            layout.write_index(kept)
        return len(entries) - len(kept)


def checked(path: Path, digest: Digest) -> bytes:
    """The bytes of a blob. IntegrityError where they are not what the digest says, OSError where they are gone."""
    data = path.read_bytes()
    if sha256(data).hexdigest() != digest.hex:
        raise IntegrityError(f"a file of the store has been changed: {digest}", "pluriverse verify")
    return data


def origin_of(path: Path) -> Origin:
    """Of a file as it is now. OSError."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        digest = file_digest(file, "sha256").hexdigest()
    return Origin(os.fspath(path.absolute()), state.st_size, state.st_mtime_ns, Digest(f"sha256:{digest}"))


def _entries(layout: Layout) -> list[Document]:
    return [entry for entry in layout.index() if _is_work(entry)]


def _is_work(entry: Document) -> bool:
    return entry.get("artifactType") == WORK_TYPE


def _stored(layouts: Sequence[Layout], layout: Layout, entry: Document) -> StoredWork:
    work, origin, parts = _described(layout, Digest(entry["digest"]))
    return StoredWork(entry["annotations"][NAME], work, origin, parts, layouts)


def _described(layout: Layout, digest: Digest) -> _Described:
    """What a manifest says; a digest says the same for ever, so that it is read once: every search comes here."""
    if (found := _known.get((layout.root, digest))) is not None:
        return found
    manifest = layout.document(digest)
    config = layout.document(Digest(manifest["config"]["digest"]))
    given, file = config["work"], config.get("file")
    work = Work(**{**given, "digest": Digest(given["digest"])})
    origin = Origin(**{**file, "digest": Digest(file["digest"])}) if file else None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    found = _known[layout.root, digest] = work, origin, manifests.parts(manifest)
    return found
