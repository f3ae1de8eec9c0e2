"""A file on this machine, and the files of a folder."""

import difflib
import os
import re
import shlex
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from ...errors import UnreachableError
from ...values import PathSource, Pullable, names_of_parts
from .kind import SourceKind
from .stream import CHUNK, ByteStream, Earlier

_NO_MODEL = ("mmproj", "imatrix")
_SHOWN = 3  # files of a folder that a hint names
_SCHEME = re.compile(r"[a-z]{2,}:")


class Local(SourceKind[PathSource]):
    here = True

    def parse(self, ref: str) -> Pullable | None:
        """Whatever is written like a path, whether or not there is such a file, and the name of any file here."""
        path = Path(ref)
        with suppress(RuntimeError):  # ~NAME of nobody
            path = path.expanduser()
        like_a_path = path.suffix == ".gguf" or ref.startswith(("/", "./", "../", "~"))
        try:
            if not (like_a_path and not _SCHEME.match(ref)) and not path.is_file():
                return None
        except OSError:  # a name too long for any file
            return None
        return Pullable.of_file(ref, path.name, self.parts(PathSource(path.absolute()))[0])

    def parts(self, source: PathSource) -> tuple[PathSource, ...]:
        names = names_of_parts(source.path.name)
        return tuple(PathSource(source.path.with_name(name)) for name in names) if len(names) > 1 else (source,)

    def open(self, source: PathSource, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        return open_path(source, earlier.bytes)


@asynccontextmanager
async def open_path(source: PathSource, offset: int = 0) -> AsyncIterator[ByteStream]:
    """UnreachableError, with a step that belongs to files, for what is not there or cannot be read."""
    path = source.path.expanduser().absolute()
    if problem := problem_of(path):
        raise problem
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreachableError(f"{path} cannot be read: {error.strerror}", _look(path)) from error

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except OSError as error:  # a stick that was drawn out
            raise UnreachableError(f"{path} cannot be read on: {error.strerror}", _look(path)) from error

    with file:
        file.seek(offset)
        yield ByteStream(chunks(), start=offset, size=path.stat().st_size, file=path)


def problem_of(path: Path) -> UnreachableError | None:
    """Why there is no file to read at `path`, with a step that belongs to files; None where there is one."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return None
    except FileNotFoundError:
        return UnreachableError(f"there is no file {path}", _inside(path.parent, path.name))
    except (OSError, ValueError) as error:  # a name too long, a loop of links, no permission
        why = error.strerror if isinstance(error, OSError) else error
        return UnreachableError(f"{path} cannot be read: {why}", _look(path.parent))
    if path.is_dir():
        return UnreachableError(f"{path} is a folder", _inside(path))
    return UnreachableError(f"{path} is no ordinary file", _look(path))  # a pipe would wait for ever


def _look(path: Path) -> str:
    return f"look at it: ls -l {shlex.quote(str(path))}"


def _inside(folder: Path, meant: str | None = None) -> str:
    """What to pull from a folder instead: the file that was probably meant, or those that are there."""
    try:
        if not folder.is_dir():
            return f"there is no folder {folder}; look where the file is, and give its whole path"
        every = [each.name for each in folder.iterdir() if each.suffix == ".gguf" and not no_model(each.name)]
        names = sorted({names_of_parts(name)[0] for name in every})  # of a split model, its first part
    except OSError:
        return _look(folder)
    near = difflib.get_close_matches(meant, names, n=1, cutoff=0.75) if meant else []
    if near or len(names) == 1:
        return f"did you mean this? pluriverse pull {shlex.quote(str(folder / (near or names)[0]))}"
    if not names:
        return f"no .gguf file is in {folder}; look where it is, and give its whole path"
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"name a .gguf file; in {folder} there are {shown}"


def no_model(file: str) -> bool:
    """Whether its name says that it lies beside a model and is none: a projector, an importance matrix."""
    return any(word in Path(file).name.lower() for word in _NO_MODEL)


def files_in(folder: Path) -> Iterator[tuple[Path, int]]:
    """All files under a folder, at any depth, with sizes, also while others change it: what vanishes is passed."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            try:
                yield path, path.stat().st_size
            except OSError:
                continue
