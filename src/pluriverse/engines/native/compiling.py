"""Compiling libllama for this very processor: cmake configures, ninja compiles, both report how far they are.

Knows command lines and folders. A build folder can be gone on with after a kill: ninja compiles what is missing.
"""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ... import children
from ...errors import EngineError
from ..local.libraries import NAMES
from . import obtaining

# With AVX512-FP16 ggml sums attention in half precision and in steps of 128, more than a head of most small models has:
# eight voices with 200 tokens each then speak half as fast, and less exactly (docs/decisions/0006). So it is not told.
# The CPU only, kernels for this processor; ggml's own threads, since an engine waits for its turn anyway (`turns`).
FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON", "-DGGML_NATIVE=ON", "-DGGML_OPENMP=OFF",
    "-DGGML_CCACHE=OFF", "-DGGML_METAL=OFF", "-DGGML_BLAS=OFF", "-DGGML_ACCELERATE=OFF",
    "-DLLAMA_BUILD_COMMON=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_TOOLS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_MTMD=ON", "-DMTMD_VIDEO=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_OPENSSL=OFF", "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
    "-DCMAKE_SHARED_LINKER_FLAGS=-s", "-DCMAKE_EXE_LINKER_FLAGS=-s", "-DCMAKE_TRY_COMPILE_CONFIGURATION=Release",
    *(f"-DCMAKE_{language}_FLAGS=-U__AVX512FP16__" for language in ("C", "CXX")),
)  # fmt: skip
_PROGRESS = re.compile(r"\[(\d+)/(\d+)\]")


@dataclass(frozen=True, slots=True)
class Compiler:
    """`c`, `cxx`, `ar`, `ranlib`: programs that cmake is told of; `version` in the compiler's own words."""

    kind: str  # zig or system
    version: str
    c: str
    cxx: str
    ar: str | None = None
    ranlib: str | None = None


def compilers(work: Path, tools: Path) -> list[Compiler]:
    """Zig first, since it comes with everything; then what the machine has."""
    found = []
    if path := obtaining.zig(tools):
        scripts = {name: _script(work, f"zig-{name}", path, word) for name, word in _ZIG.items()}
        version = f"zig {_said(str(path), 'version')}"
        found.append(Compiler("zig", version, scripts["cc"], scripts["cxx"], scripts["ar"], scripts["ranlib"]))
    if names := obtaining.system_compilers():
        found.append(Compiler("system", _said(names[0], "--version"), *names))
    return found


# Zig compiles its C++ library anew, 40 seconds, for each optimisation and each answer to "stripped?" that it is asked
# to link with. So cmake's own questions to the compiler must be put like the build's.
_ZIG = {"cc": "cc -O3 -s", "cxx": "c++ -O3 -s", "ar": "ar", "ranlib": "ranlib"}


def configure(source: Path, build: Path, compiler: Compiler, tools: Path, work: Path) -> None:
    """Raises EngineError with what cmake said."""
    command = [obtaining.program(tools, "cmake"), "-S", str(source), "-B", str(build), "-G", "Ninja", *FLAGS]
    rpath = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
    own = {
        "CMAKE_MAKE_PROGRAM": obtaining.program(tools, "ninja"),
        "CMAKE_INSTALL_RPATH": rpath,
        "CMAKE_C_COMPILER": compiler.c,
        "CMAKE_CXX_COMPILER": compiler.cxx,
        "CMAKE_AR": compiler.ar,
        "CMAKE_RANLIB": compiler.ranlib,
    }
    command += [f"-D{name}={value}" for name, value in own.items() if value]
    done = children.run(command, merged=True, within=None, **_environment(work))
    if done.returncode:
        _failed("the build could not be configured", done.stdout, work)


def compile(build: Path, target: str, tools: Path, work: Path) -> Iterator[tuple[int, int]]:
    """Compile; (steps done, steps in all) after each. Raises EngineError with what the compiler said."""
    command = [obtaining.program(tools, "ninja"), "-C", str(build), target]
    said: list[str] = []
    with children.follow(command, **_environment(work)) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                if match := _PROGRESS.match(line):
                    yield int(match[1]), int(match[2])
                else:
                    said = [*said[-200:], line]
        finally:
            if process.poll() is None:
                process.terminate()
    if process.returncode:
        _failed("the build failed", "".join(said), work)


def gather(build: Path, folder: Path) -> None:
    """Copy a build's shared libraries into a folder, under each name by which they look for one another."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = Path(NAMES[system()]).suffix
    for path in sorted((build / "bin").glob(f"*{suffix}*")):
        (folder / path.name).unlink(missing_ok=True)
        shutil.copy2(path, folder / path.name, follow_symlinks=False)


def system() -> str:
    return {"darwin": "Darwin", "win32": "Windows"}.get(sys.platform, "Linux")


def _script(work: Path, name: str, program: Path, words: str) -> str:
    """A program of one name, as cmake wants compilers to be."""
    if sys.platform == "win32":
        path = work / f"{name}.cmd"
        path.write_text(f'@"{program}" {words} %*\n', "utf-8")
    else:
        path = work / name
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(str(program))} {words} "$@"\n', "utf-8")
        path.chmod(0o755)
    return str(path)


def _said(*command: str) -> str:
    done = children.run(list(command))
    return next(iter(done.stdout.splitlines()), "").strip()


def _environment(work: Path) -> dict[str, str]:
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(work / "zig"), "ZIG_LOCAL_CACHE_DIR": str(work / "zig")}
    return {**caches, "NINJA_STATUS": "[%f/%t] "}


def _failed(what: str, said: str, work: Path) -> None:
    log = work / "build.log"
    log.write_text(said, "utf-8")
    lines = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines()
    if "No space left" in said:
        raise EngineError("the disk is full", "free about 1.5 GB, then go on: pluriverse engine build")
    why = lines[0].strip()[:300] if lines else "it said nothing"
    raise EngineError(f"{what}: {why}", f"all it said is in {log}; the wheel's library goes on serving")
