"""One store on one disk: an OCI image layout (https://github.com/opencontainers/image-spec, image-layout.md, 1.0.0).

    oci-layout            the layout's version
    index.json            names, each pointing to a manifest
    blobs/sha256/<hex>    manifests, configs and weights; complete and checked, or not there
    incoming/             partial downloads and locks; never read as anything else

Knows files, locks and manifests. Does not know sources, engines or what a model is for. Writing creates the folders;
reading a store that does not exist finds it empty.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import IntegrityError, NoSpaceError, PluriverseError
from ..files import PRIVATE, PUBLIC, fill, make_folder, read_json, replacing
from ..values import Digest

Document = dict[str, Any]

NAME = "org.opencontainers.image.ref.name"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Layout:
    """The files of one store. All writes to the index happen under a lock that processes share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs" / "sha256"
        self.incoming = root / "incoming"
        self._known: tuple[int, ...] = ()  # the state of index.json when it was read
        self._index: list[Document] = []

    def blob(self, digest: Digest) -> Path:
        return self.blobs / digest.hex

    def has(self, digest: Digest) -> bool:
        return self.blob(digest).exists()

    def index(self) -> list[Document]:
        """The descriptors in index.json: `digest`, `size`, `artifactType`, `annotations`. IntegrityError if garbled.

        What was read is kept for as long as the file is the same: every base that is asked for comes here.
        """
        path = self.root / "index.json"
        try:
            state = path.stat()
            known = (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
            if known == self._known:
                return list(self._index)
            document = read_json(path)
            descriptors: list[Document] = document["manifests"]
            for each in descriptors:
                Digest(each["digest"])
                each["annotations"][NAME]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, PluriverseError) as error:
            raise IntegrityError(f"{self.root / 'index.json'} is garbled: {error}", "restore it from a copy") from error
        self._known, self._index = known, descriptors
        return list(descriptors)

    def document(self, digest: Digest) -> Document:
        """A JSON blob, checked against its digest, for it is small. IntegrityError when it is missing or changed."""
        try:
            data = self.blob(digest).read_bytes()
        except OSError as error:
            raise IntegrityError(f"a manifest is missing from the store: {digest}", "pluriverse verify") from error
        if sha256(data).hexdigest() != digest.hex:
            raise IntegrityError(f"a manifest in the store has been changed: {digest}", "pluriverse verify")
        document: Document = json.loads(data)
        return document

    def add_document(self, document: Document, *, private: bool = False, mend: bool = False) -> tuple[Digest, int]:
        """Write a JSON blob as `add_bytes` does; its digest and size. The same document is written once."""
        data = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        return self.add_bytes(data, private=private, mend=mend), len(data)

    def add_bytes(self, data: bytes, *, private: bool = False, mend: bool = False) -> Digest:
        """Write a blob; `private`: for its owner alone; `mend`: anew where other bytes have taken its place."""
        digest = Digest("sha256:" + sha256(data).hexdigest())
        if not self.has(digest) or (mend and not self._holds(self.blob(digest), data)):
            self._write(self.blob(digest), data, PRIVATE if private else PUBLIC)
        return digest

    def _holds(self, blob: Path, data: bytes) -> bool:
        """Whether a file can be read and has these bytes. A folder in its place goes."""
        if blob.is_dir():
            shutil.rmtree(blob, ignore_errors=True)
        with contextlib.suppress(OSError):
            return blob.read_bytes() == data
        return False

    def point(self, name: str, digest: Digest, size: int, artifact_type: str, annotations: dict[str, str]) -> None:
        """Let `name` point to a manifest; whatever had that name and type is replaced. Hold `lock()` around it."""
        kept = [
            each
            for each in self.index()
            if (each["annotations"][NAME], each.get("artifactType")) != (name, artifact_type)
        ]
        entry = {
            "mediaType": MANIFEST_TYPE,
            "digest": digest,
            "size": size,
            "artifactType": artifact_type,
            "annotations": {NAME: name, **annotations},
        }
        self.write_index([*kept, entry])

    def write_index(self, descriptors: list[Document]) -> None:
        """Replace the index. Hold `lock()` around reading and writing it."""
        if not (self.root / "oci-layout").exists():
            self._write(self.root / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": descriptors}
        self._write(self.root / "index.json", json.dumps(document, ensure_ascii=False, indent=1).encode())

    @contextlib.contextmanager
    def lock(self, name: str = "index", *, wait: bool = True) -> Iterator[bool]:
        """A lock between processes, freed by the kernel when its holder dies. Yields whether it is held."""
        from filelock import FileLock, Timeout

        with writing(self.root):
            make_folder(self.incoming)
            lock = FileLock(self.incoming / f"{name}.lock", thread_local=False)
            try:
                lock.acquire(timeout=-1 if wait else 0)
            except Timeout:
                yield False
                return
        try:
            yield True
        finally:
            lock.release()

    def adopt(self, file: Path, digest: Digest) -> Path:
        """Move a complete, checked file into the blobs: from now on it is visible."""
        target = self.blob(digest)
        with writing(self.root):
            make_folder(self.blobs, private=False)
            if not file.is_symlink() and file.stat().st_nlink == 1:  # a linked file is also the user's own
                file.chmod(0o444)
            file.replace(target)
            _sync(target.parent)
        return target

    def _write(self, path: Path, data: bytes, mode: int = PUBLIC) -> None:
        with writing(self.root):
            make_folder(path.parent, private=False)
            with replacing(path, mode) as fresh:
                fill(fresh, data)
            _sync(path.parent)


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Turn what a disk can answer into words: full, read-only, not permitted."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpaceError(
                f"the disk of {root} is full", "free some space, e.g. pluriverse gc; then try again"
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR):
            raise PluriverseError(
                f"nothing can be written to {root}: {error.strerror}", "set PLURIVERSE_HOME to a folder of your own"
            ) from error
        raise


def _sync(folder: Path) -> None:
    """Make a rename last through a power cut; not every platform can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
