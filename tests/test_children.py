"""Code that lies in the current folder or in the user's site is not run, whatever program is started from there."""

import ast
import asyncio
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import pluriverse
from pluriverse import children
from pluriverse.engines.local import LocalEngine
from pluriverse.engines.native import obtaining
from pluriverse.settings import Settings
from pluriverse.store.sources import wheel
from pluriverse.values import WheelSource

ROOT = Path(pluriverse.__file__).parent
MODULES = ("numpy", "queue", "json", "jinja2", "struct", "runpy", "sitecustomize", "usercustomize", "_manylinux", "re")


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder and a user's site full of code that leaves `RAN-...` in the folder which is given back."""
    ran, here = tmp_path / "ran", tmp_path / "here"
    site = tmp_path / "user" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    ran.mkdir()
    for folder in (here, site):
        folder.mkdir(parents=True)
        (folder / "evil.pth").write_text(f"import os; open(os.path.join({str(ran)!r}, 'RAN-pth'), 'w')\n")
        for name in MODULES:
            (folder / f"{name}.py").write_text(
                f"open({str(ran / f'RAN-{name}')!r}, 'w')\nraise SystemExit('planted')\n"
            )
        for name in ("pip", "pluriverse", "xllamacpp"):
            (folder / name).mkdir()
            for file in ("__init__.py", "__main__.py"):
                (folder / name / file).write_text(f"open({str(ran / f'RAN-{name}')!r}, 'w')\n")
    for name in ("gcc", "g++", "zig", "cmake", "ninja", "sysctl"):
        (here / name).write_text(f"#!/bin/sh\ntouch {ran}/RAN-{name}\n")
        (here / name).chmod(0o755)
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "user"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(("", ".", str(here))))
    monkeypatch.setenv("PATH", os.pathsep.join((".", "", os.environ["PATH"])))
    return ran


def test_the_planted_code_would_run(planted: Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    assert list(planted.iterdir())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("pluriverse.engines.local.worker",), ""),
        (("pluriverse.engines.native.trial",), json.dumps({"do": "speed", "model": "none"})),
        (("pip", "--version"), None),
    ],
    ids=str,
)
def test_no_python_child_runs_it(planted: Path, command: tuple[str, ...], said: str | None) -> None:
    done = children.run(children.python(*command), said=said)
    assert not list(planted.iterdir())
    assert done.returncode == 0, done.stderr
    assert "planted" not in done.stdout + done.stderr


def test_neither_do_compilers_and_tools(planted: Path) -> None:
    found = obtaining.system_compilers()
    assert found is None or all(Path(each).is_absolute() for each in found)
    done = children.run(["sh", "-c", "gcc --version; cmake --version; env python3 -c 'import numpy'"])
    assert not list(planted.iterdir()), done.stdout


def a_wheel(folder: Path) -> WheelSource:
    info = "thing-1.0.dist-info"
    folder.mkdir()
    with zipfile.ZipFile(folder / "thing-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("thing/data.bin", b"x" * 1000)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"thing/data.bin,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return WheelSource("thing", "1.0", "thing/data.bin")


def test_neither_does_the_pip_of_a_pull(planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = a_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "../wheels")  # relative to the current folder, which stays what it is

    async def fetch() -> None:
        async for _ in wheel.fetch(source, tmp_path / "scratch"):
            pass

    asyncio.run(fetch())
    assert list((tmp_path / "scratch").rglob("*.whl"))
    obtaining.pip("install", "--target", str(tmp_path / "target"), "--no-deps", "thing==1.0")
    assert (tmp_path / "target" / "thing" / "data.bin").is_file()
    assert not list(planted.iterdir())


@pytest.mark.model
def test_neither_does_an_engine(planted: Path, default_model: Path, tmp_path: Path) -> None:
    async def count() -> int:
        engine = LocalEngine("model", None, default_model, Settings(home=tmp_path / "home"))
        try:
            return await engine.count_tokens("one two three")
        finally:
            await engine.aclose()

    assert asyncio.run(count()) > 0
    assert not list(planted.iterdir())


def test_nor_the_command_started_as_a_module(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` itself reads what runs it from the current folder; all that pluriverse imports comes later."""
    monkeypatch.delenv("PYTHONPATH")
    for name in ("runpy", "sitecustomize", "usercustomize", "re", "struct"):
        Path(name + ".py").unlink()
    shutil.rmtree("pluriverse")
    words = [sys.executable, "-s", "-m", "pluriverse", "ask", "hi", "--base", "scripted", "--with", "duty", "--json"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not list(planted.iterdir())


@pytest.mark.parametrize("layout", ["user site", "target folder", "source folder"])
def test_every_place_of_the_packages_works(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that has nothing installed finds them where the one that starts the child has them."""
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    places = [str(ROOT.parent), *(each for each in sys.path if "site-packages" in each)]
    here = str(ROOT.parent) if layout == "source folder" else str(tmp_path)
    where = "len(sys.path):" if layout == "user site" else ":0"
    code = f"import sys; sys.path[{where}] = {places!r}"
    code += "\nfrom pluriverse import children\n"
    code += "d = children.run(children.python('pluriverse.engines.local.worker'), said='')"
    done = subprocess.run(
        [python, "-c", code + "\nprint(d.stderr); sys.exit(d.returncode)"], capture_output=True, text=True, cwd=here
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_child_runs_this_very_pluriverse(tmp_path: Path) -> None:
    done = children.run(children.python("pluriverse", "--version"))
    assert done.stdout.strip() == f"pluriverse {pluriverse.__version__}"


STARTS = {"run", "Popen", "call", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"}
STARTS |= {"system", "popen", "spawnv", "execv", "execvp", "posix_spawn", "getoutput", "Process", "ProcessPoolExecutor"}


@pytest.mark.parametrize("module", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_else_starts_a_program(module: Path) -> None:
    if module.name == "children.py":
        return
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"subprocess", "multiprocessing", "pty"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in STARTS:
            on = ast.unparse(node.func.value)
            assert on not in {"subprocess", "asyncio", "os", "multiprocessing"} or (on, node.func.attr) == (
                "asyncio", "run",
            ), f"{module}:{node.lineno}"  # fmt: skip
