"""Reading every byte again.

Knows layouts and manifests; changes nothing.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..errors import IntegrityError
from ..values import Digest
from . import manifests
from .layout import NAME, Layout

_BLOCK = 1024 * 1024
_TELL_EVERY = 64 * _BLOCK


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    done: int  # bytes
    total: int


@dataclass(frozen=True, slots=True)
class Bad:
    name: str
    digest: Digest
    problem: str
    role: str = ""  # model, adapter, assistant, work


@dataclass(frozen=True, slots=True)
class Verified:
    checked: int  # files
    bytes: int
    total_s: float
    bad: tuple[Bad, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    digest: Digest
    path: Path
    bytes: int
    role: str


def verify(layouts: Sequence[Layout], names: Sequence[str]) -> Iterator[VerifyProgress | Verified]:
    """Check all that the index of each layout points to, or only what has one of `names`."""
    started = time.perf_counter()
    wanted, bad = _collect(layouts, names)
    total, done = sum(each.bytes for each in wanted), 0
    for each in wanted:
        problem, read = None, 0
        for step in _check(each):
            if isinstance(step, str):
                problem = step
            else:
                read += step
                yield VerifyProgress(done + read, total)
        done += each.bytes
        if problem:
            bad.append(Bad(each.name, each.digest, problem, each.role))
    yield Verified(len(wanted), done, time.perf_counter() - started, tuple(bad))


def _collect(layouts: Sequence[Layout], names: Sequence[str]) -> tuple[list[_Wanted], list[Bad]]:
    wanted: dict[Path, _Wanted] = {}
    bad = []
    for layout in layouts:
        for entry in layout.index():
            name, digest = entry["annotations"][NAME], Digest(entry["digest"])
            role = str(entry["annotations"].get(manifests.P + "role", ""))
            if names and name not in names:
                continue
            try:
                needed = manifests.blobs(layout.document(digest))
            except IntegrityError as error:
                bad.append(Bad(name, digest, error.message, role))
                continue
            for blob, size in [(digest, int(entry["size"])), *needed]:
                path = next((each.blob(blob) for each in (layout, *layouts) if each.has(blob)), layout.blob(blob))
                wanted.setdefault(path, _Wanted(name, blob, path, size, role))
    return list(wanted.values()), bad


def _check(wanted: _Wanted) -> Iterator[int | str]:
    """Yields bytes read, and at the end what is wrong, if anything is."""
    digest = sha256()
    unsaid = 0
    block = bytearray(_BLOCK)
    view = memoryview(block)
    try:
        if (size := wanted.path.stat().st_size) != wanted.bytes:
            yield f"has {size:,} bytes instead of {wanted.bytes:,}"
            return
        with wanted.path.open("rb", buffering=0) as file:
            while n := file.readinto(block):
                digest.update(view[:n])
                unsaid += n
                if unsaid >= _TELL_EVERY:
                    yield unsaid
                    unsaid = 0
    except FileNotFoundError:
        yield "is missing"
        return
    except OSError as error:
        yield f"cannot be read: {error.strerror}"
        return
    yield unsaid
    if digest.hexdigest() != wanted.digest.hex:
        yield "has been changed"
