"""What a build needs, through the user's own pip configuration: llama.cpp's source, pinned by digest, and the tools.

Knows pip and files. Everything is made under a temporary name and renamed when it is whole, so that a kill costs only
the step that ran.
"""

import hashlib
import importlib.util
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from ... import children
from ...errors import EngineError, IntegrityError, UnreachableError
from ..local.layouts import NATIVE_VERSION
from . import additions

SOURCE_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
SOURCE = f"llama_cpp_python-{NATIVE_VERSION}.tar.gz"
TOOLS = ("cmake==4.4.5", "ninja==1.13.2", "ziglang==0.17.1")  # Apache-2.0 and BSD-3-Clause; MIT for Zig
_INSIDE = f"llama_cpp_python-{NATIVE_VERSION}/vendor/llama.cpp/"
_WANTED = ("CMakeLists.txt", "LICENSE", "cmake/", "ggml/", "include/", "src/", "tools/mtmd/", "vendor/")


def source(work: Path) -> Path:
    """The folder of llama.cpp's source, checked, unpacked and added to.

    Raises UnreachableError, IntegrityError, EngineError.
    """
    place = work / f"source-{additions.digest()[:8]}"
    if place.is_dir():
        return place
    archive = work / SOURCE
    if not archive.is_file() or _sha256(archive) != SOURCE_SHA256:
        _download(work)
    if _sha256(archive) != SOURCE_SHA256:
        archive.unlink()
        raise IntegrityError(f"{SOURCE} is not what llama-cpp-python published: its digest differs", "try again later")
    _unpack(archive, place)
    return place


def tools(work: Path) -> Path:
    """A folder with cmake, ninja and, where there is one for this platform, the Zig compiler."""
    place = work / f"tools-{hashlib.sha256(' '.join(TOOLS).encode()).hexdigest()[:8]}"
    if place.is_dir():
        return place
    aside = _fresh(work / "tools.part")
    install = ("install", "--target", str(aside), "--no-deps", "--only-binary", ":all:")
    pip(*install, *TOOLS[:2])
    try:
        pip(*install, TOOLS[2])
    except UnreachableError:  # no such wheel for this platform: the system's compiler may do
        if not system_compilers():
            raise
    aside.rename(place)
    return place


def system_compilers() -> tuple[str, str] | None:
    """The C and the C++ compiler of this machine, if it has both."""
    for names in (("gcc", "g++"), ("clang", "clang++"), ("cc", "c++")):
        found = [shutil.which(name) for name in names]
        if found[0] and found[1] and Path(found[0]).is_absolute() and Path(found[1]).is_absolute():
            return found[0], found[1]
    return None


def zig(tools: Path) -> Path | None:
    path = tools / "ziglang" / ("zig.exe" if sys.platform == "win32" else "zig")
    return path if path.is_file() else None


def program(tools: Path, name: str) -> str:
    """The binary of cmake or ninja in the folder of tools."""
    file = f"{name}.exe" if sys.platform == "win32" else name
    for place in (tools / name / "data" / "bin" / file, tools / "bin" / file, tools / "Scripts" / file):
        if place.is_file():
            return str(place)
    raise EngineError(f"the package {name} has no {file}", "pluriverse engine rm; pluriverse engine build")


def pip(*words: str) -> None:
    """Run pip of this very Python. UnreachableError with its last words."""
    if importlib.util.find_spec("pip") is None:
        raise UnreachableError("this Python has no pip to fetch with", f"{sys.executable} -m ensurepip")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    done = children.run(children.python("pip", words[0], *quiet, *words[1:]))
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        if "No space left" in done.stderr:
            raise EngineError("the disk is full", "free about 1.5 GB, then go on: pluriverse engine build")
        why = lines[-1].removeprefix("ERROR: ") if lines else f"pip ended with {done.returncode}"
        raise UnreachableError(
            f"{Path(words[-1]).name} could not be fetched: {why}", "with a network: pluriverse engine build"
        )


def _download(work: Path) -> None:
    """The source distribution; pip compares its digest before anything in it runs."""
    wanted = work / "source.txt"
    wanted.write_text(f"llama-cpp-python=={NATIVE_VERSION} --hash=sha256:{SOURCE_SHA256}\n", "utf-8")
    how = ("--no-deps", "--no-binary", "llama-cpp-python", "--require-hashes")
    pip("download", *how, "--dest", str(work), "-r", str(wanted))


def _unpack(archive: Path, place: Path) -> None:
    """Only what is compiled; names that lead outside are refused by tarfile's data filter."""
    aside = _fresh(place.with_name("source.part"))
    with tarfile.open(archive) as tar:
        for member in _members(tar):
            tar.extract(member, aside, filter="data")
    additions.add(aside)
    aside.rename(place)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        inside = member.name.removeprefix(_INSIDE)
        if inside != member.name and inside.startswith(_WANTED) and member.isfile():
            yield member.replace(name=inside)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
