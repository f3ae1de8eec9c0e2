"""How another program is started from here: the only place that does it. Neither the current folder, nor the user's
site, nor a relative entry of a search path can put code into it.

A Python child runs isolated (`python -I`): no current folder, no user's site, no PYTHONPATH. It gets this very
pluriverse, wherever it lies, and behind its own search path the folders that hold pluriverse's packages here (a
`pip --user` or `pip --target` is a legal place for them); the last, so that nothing in them goes before anything.
Knows command lines; nothing of what the programs do. Starting one raises what the system raises.
"""

import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .settings import child_environment

if TYPE_CHECKING:
    import asyncio

# What a Python child imports beside pluriverse.
_PACKAGES = (
    "numpy", "xllamacpp", "jinja2", "gguf", "pip", "lxml", "pypdfium2", "charset_normalizer", "markdown_it",
    "py3langid",
)  # fmt: skip
# As `python -m` does it, with two things before: where packages are, and which pluriverse is meant.
_START = """\
import sys; sys.path += [each for each in {folders!r} if each not in sys.path]
import importlib.util as u, runpy
s = u.spec_from_file_location("pluriverse", {package!r} + "/__init__.py", submodule_search_locations=[{package!r}])
m = sys.modules["pluriverse"] = u.module_from_spec(s); s.loader.exec_module(m)
del sys.argv[0]; runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def python(module: str, *words: str) -> list[str]:
    """The command that runs a module with this Python, as `python -m` does, but isolated."""
    start = _START.format(folders=_folders(), package=str(Path(__file__).parent))
    return [sys.executable, "-I", "-c", start, module, *words]


def script(path: str, *words: str) -> list[str]:
    """The command that runs one file with this Python and its standard library, and no package at all."""
    return [sys.executable, "-I", "-S", path, *words]


def _folders() -> list[str]:
    """Absolute entries of this process's search path that hold packages a child needs, without the current folder."""
    found = [Path(each) for each in sys.path if Path(each).is_absolute() and not _is_current(Path(each))]
    return [str(each) for each in found if any((each / name).is_dir() for name in _PACKAGES)]


def _is_current(folder: Path) -> bool:
    try:
        return folder.samefile(".")
    except OSError:
        return False


def run(
    command: list[str], *, said: str | None = None, merged: bool = False, within: float | None = None, **changes: str
) -> "Done":
    """Run it to its end; `said` goes to its stdin, which is empty otherwise. `changes` of its environment.

    `merged`: what it writes to stderr is part of stdout. TimeoutError, and it is ended, after `within` seconds.
    """
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if said is None else {"input": said}
    errors = subprocess.STDOUT if merged else subprocess.PIPE
    try:
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8", errors="replace", check=False,
            timeout=within, env=child_environment(**changes), **given,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise TimeoutError(f"not done within {within} s") from late


def hand_over(command: list[str], *, stdout: IO[str] | None = None) -> int:
    """Let a program talk with the person at this terminal until it ends; its exit code. `stdout`: where it writes."""
    return subprocess.run(command, stdout=stdout, check=False, env=child_environment()).returncode


def follow(command: list[str], **changes: str) -> "subprocess.Popen[str]":
    """Start it; its stdout, with stderr, is to be read line by line while it runs."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", errors="replace", env=child_environment(**changes),
    )  # fmt: skip


def talk(command: list[str]) -> "Talk":
    """Start it with pipes to write to and to read from; what it writes to stderr is nobody's."""
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
    )


async def start(command: list[str], *, speaks: bool, **changes: str) -> "asyncio.subprocess.Process":
    """Start it beside the event loop; its stderr is to be read.

    `speaks`: stdin and stdout are pipes, and Ctrl-C is for the one that asks, who then ends it in order.
    """
    import asyncio

    pipe: int | IO[bytes] = asyncio.subprocess.PIPE if speaks else asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.PIPE, start_new_session=speaks,
        env=child_environment(**changes),
    )  # fmt: skip


Talk = subprocess.Popen[bytes]
"""A program that is written to and read from."""

Done = subprocess.CompletedProcess[str]
