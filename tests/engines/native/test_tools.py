"""What a build is made with: the source that is fetched and checked, programs that are found, and what they say."""

import io
import sys
import tarfile
from pathlib import Path

import pytest

from pluriverse.engines.local.libraries import NAMES
from pluriverse.engines.native import compiling, obtaining
from pluriverse.engines.native.compiling import Compiler
from pluriverse.errors import EngineError, IntegrityError, UnreachableError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs here are scripts of sh")
GCC = Compiler("system", "gcc 1", "/usr/bin/gcc", "/usr/bin/g++")


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No program is found but what a test puts into this folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_zig_comes_first_then_what_the_machine_has(work: Path, no_path: Path, tmp_path: Path) -> None:
    assert compiling.compilers(work, tmp_path) == [] and obtaining.system_compilers() is None
    program(no_path / "gcc", "echo gcc 99")
    assert obtaining.system_compilers() is None, "a compiler of C alone is not enough"
    program(no_path / "g++", "echo g++ 99")
    program(tmp_path / "ziglang" / "zig", 'echo "$@"')
    zig, system = compiling.compilers(work, tmp_path)
    assert (zig.kind, zig.version, zig.ar) == ("zig", "zig version", str(work / "zig-ar"))
    assert compiling._said(zig.c, "a.c") == "cc -O3 -s a.c", "a program of one name passes on what it is told"
    assert system == Compiler("system", "gcc 99", str(no_path / "gcc"), str(no_path / "g++"))


def test_cmake_is_told_of_the_compiler_and_its_reasons_are_told(work: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    program(tools / "bin" / "ninja", "")
    program(tools / "cmake" / "data" / "bin" / "cmake", f'echo "$@" > {work}/told')
    compiling.configure(tmp_path / "source", work / "build", GCC, tools, work)
    told = (work / "told").read_text()
    assert "-DCMAKE_C_COMPILER=/usr/bin/gcc" in told and "CMAKE_AR" not in told and "-DGGML_NATIVE=ON" in told
    for said, why in (
        ("echo warm; echo 'fatal error: no such header'; exit 1", "configured: fatal error: no such header"),
        ("echo alas; exit 1", "configured: alas"),
        ("exit 1", "it said nothing"),
        ("echo 'write: No space left on device'; exit 1", "the disk is full"),
    ):
        program(tools / "cmake" / "data" / "bin" / "cmake", said)
        with pytest.raises(EngineError, match=why) as error:
            compiling.configure(tmp_path / "source", work / "build", GCC, tools, work)
        assert error.value.hint


def test_steps_are_counted_and_a_build_can_be_left(work: Path, tmp_path: Path) -> None:
    ninja = tmp_path / "bin" / "ninja"
    program(ninja, "echo '[1/3] one'; echo words; echo '[3/3] all'")
    assert list(compiling.compile(work, "llama", tmp_path, work)) == [(1, 3), (3, 3)]
    program(ninja, "echo '[1/3] one'; echo 'a.c: error: bad'; exit 1")
    with pytest.raises(EngineError, match=r"the build failed: a\.c: error: bad"):
        list(compiling.compile(work, "llama", tmp_path, work))
    assert "a.c: error: bad" in (work / "build.log").read_text()
    program(ninja, "echo '[1/3] one'; exec sleep 600")
    steps = compiling.compile(work, "llama", tmp_path, work)
    assert next(steps) == (1, 3)
    steps.close()  # type: ignore[attr-defined]


def test_libraries_are_gathered_over_those_before(tmp_path: Path) -> None:
    name = NAMES[compiling.system()]
    for text in ("old", "new"):
        (tmp_path / "build" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "build" / "bin" / name).write_text(text)
        compiling.gather(tmp_path / "build", tmp_path / "to")
    assert (tmp_path / "to" / name).read_text() == "new"


def test_a_package_without_its_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="the package cmake has no cmake"):
        obtaining.program(tmp_path, "cmake")


def archive(path: Path, *names: str) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))


def test_only_the_source_that_was_pinned_is_unpacked_and_only_what_is_compiled(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[tuple[str, ...]] = []
    inside = obtaining._INSIDE

    def pip(*words: str) -> None:
        fetched.append(words)
        archive(work / obtaining.SOURCE, inside + "src/llama.cpp", inside + "tools/server.cpp", "setup.py")

    monkeypatch.setattr(obtaining, "pip", pip)
    monkeypatch.setattr(obtaining.additions, "add", lambda _folder: None)
    with pytest.raises(IntegrityError, match="its digest differs"):
        obtaining.source(work)
    assert not (work / obtaining.SOURCE).exists() and "--require-hashes" in fetched[0]
    archive(work / obtaining.SOURCE, inside + "src/llama.cpp", inside + "tools/server.cpp", "setup.py")
    monkeypatch.setattr(obtaining, "SOURCE_SHA256", obtaining._sha256(work / obtaining.SOURCE))
    place = obtaining.source(work)
    assert [str(each.relative_to(place)) for each in place.rglob("*") if each.is_file()] == ["src/llama.cpp"]
    assert obtaining.source(work) == place and len(fetched) == 1, "what is here is not fetched again"


def test_tools_come_without_zig_where_the_machine_has_a_compiler(
    work: Path, no_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pip(*words: str) -> None:
        if words[-1] == obtaining.TOOLS[2]:
            raise UnreachableError("no such wheel", "none")

    monkeypatch.setattr(obtaining, "pip", pip)
    with pytest.raises(UnreachableError):
        obtaining.tools(work)
    for name in ("cc", "c++"):
        program(no_path / name, "")
    place = obtaining.tools(work)
    assert place.is_dir() and obtaining.tools(work) == place and obtaining.zig(place) is None


@pytest.mark.parametrize(
    ("script", "error", "why"),
    [
        ("echo 'ERROR: no such thing' >&2; echo later >&2; exit 1", UnreachableError, "thing==1 .*: no such thing"),
        ("exit 7", UnreachableError, "pip ended with 7"),
        ("echo 'ERROR: No space left on device' >&2; exit 1", EngineError, "the disk is full"),
    ],
)
def test_the_last_words_of_pip_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, error: type[Exception], why: str
) -> None:
    path = program(tmp_path / "pip", script)
    monkeypatch.setattr(obtaining.children, "python", lambda *_words: [str(path)])
    with pytest.raises(error, match=why):
        obtaining.pip("install", "thing==1")


def test_a_python_without_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obtaining.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UnreachableError, match="has no pip"):
        obtaining.pip("install", "thing==1")
