"""The public API is one list; importing it costs nothing; no package hides a function of the same name."""

import ast
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pluriverse

from ..patience import PATIENCE_S

PUBLIC = [
    "AskEvent",
    "AskFinished",
    "Assistant",
    "BaseChosen",
    "Chat",
    "CheckOptions",
    "Citation",
    "ContextOverflowError",
    "Digest",
    "EngineCrashedError",
    "EngineError",
    "Fetching",
    "Figure",
    "Fit",
    "Found",
    "Guidance",
    "IntegrityError",
    "Loading",
    "MeasureOptions",
    "Measured",
    "Message",
    "NoSpaceError",
    "NotFoundError",
    "Panel",
    "PanelReport",
    "Passage",
    "Pluriverse",
    "PluriverseError",
    "Pulled",
    "Replies",
    "Reply",
    "ReplyChunk",
    "ReplyFinished",
    "ReplyQuoted",
    "ReplyStarted",
    "ReplyThought",
    "ReplyWaits",
    "Sampling",
    "Score",
    "Settings",
    "StoredModel",
    "UnreachableError",
    "UnsupportedError",
    "UsageError",
    "Work",
    "__version__",
    "aio",
    "ask",
    "assistants",
    "chat",
    "fit",
    "models",
    "new",
    "panels",
    "pull",
    "score",
    "search_works",
    "stream",
]

HEAVY = [
    "asyncio",
    "dataclasses",
    "httpx2",
    "huggingface_hub",
    "jinja2",
    "numpy",
    "platformdirs",
    "rich",
    "sqlite3",
    "tomli_w",
    "tomllib",
    "xllamacpp",
]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_public_list_is_this_one() -> None:
    assert pluriverse.__all__ == PUBLIC == sorted(PUBLIC)
    assert dir(pluriverse) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(pluriverse, name)
    assert value is getattr(pluriverse, name)
    if callable(value) and not name.endswith("Error"):  # the errors are told of in their module
        assert value.__doc__, f"{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'asked'"):
        pluriverse.asked  # noqa: B018


def test_star_import_gives_the_public_list() -> None:
    code = "from pluriverse import *; import json; print(json.dumps(sorted(n for n in dir() if n[0].isalpha())))"
    names = set(json.loads(python(code))) - {"json"}
    assert names == {name for name in PUBLIC if name != "__version__"}


def test_no_package_has_the_name_of_a_public_function() -> None:
    """Python would bind it over the function as soon as anything imports it."""
    inside = {module.name for module in pkgutil.iter_modules(pluriverse.__path__)}
    assert inside & set(PUBLIC) == {"aio"}
    for module in inside - {"__main__"}:
        importlib.import_module(f"pluriverse.{module}")
    assert all(type(getattr(pluriverse, name)).__name__ == "function" for name in ("ask", "assistants", "chat"))


def test_every_line_of_the_stub_is_one_name() -> None:
    """`__init__` reads it line by line; written otherwise, a name would be there for type checkers only."""
    stub = Path(pluriverse.__file__).with_suffix(".pyi").read_text("utf-8")
    seen = set()
    for node in ast.parse(stub).body[1:]:
        if isinstance(node, ast.ImportFrom):
            (alias,) = node.names
            assert alias.name == alias.asname, "a name that is not imported as itself is hidden from type checkers"
            seen.add(alias.name)
        else:
            assert ast.unparse(node) == "__version__: str"
    assert {*seen, "__version__"} == set(PUBLIC)


SCRIPT = """
import asyncio
from collections.abc import Iterator
from typing import assert_type

import pluriverse
from pluriverse import aio

{names}

assert_type(pluriverse.__version__, str)
assert_type(pluriverse.ask("Why?", ["duty"], panel=None, keep=True, max_tokens=3, guidance=0.5), pluriverse.Replies)
assert_type(pluriverse.stream("Why?", "duty", temperature=0), Iterator[pluriverse.AskEvent])
assert_type(pluriverse.assistants(), list[pluriverse.Assistant])
assert_type(pluriverse.score("a", [" b"], logits=True), tuple[pluriverse.Score, ...])
with pluriverse.Pluriverse() as p:
    assert_type(p.ask("Why?", seed=1), pluriverse.Replies)
    assert_type(p.measure("xstest", ["duty"], options=pluriverse.MeasureOptions()), pluriverse.Measured)
    assert_type(p.check(panel="starter"), pluriverse.PanelReport)
    assert_type(p.chat("duty").say("Why?"), pluriverse.Reply)
    assert_type(p.fit("small", assistants=2, measure=False), pluriverse.Fit)


async def main() -> None:
    assert_type(await aio.ask("Why?", system="Be short."), pluriverse.Replies)
    async for event in aio.stream("Why?"):
        assert_type(event, pluriverse.AskEvent)
    async with aio.Pluriverse() as p, p.stream("Why?") as events:
        assert_type([event async for event in events], list[pluriverse.AskEvent])
        assert_type(await p.chat("duty").with_("outcomes"), pluriverse.Reply | None)


asyncio.run(main())
pluriverse.ask("Why?", max_token=3)  # type: ignore[call-arg]
pluriverse.ask("Why?", max_tokens="3")  # type: ignore[arg-type]
pluriverse.ask()  # type: ignore[call-arg]
pluriverse.stream("Why?", keep=3)  # type: ignore[arg-type]
aio.ask("Why?", temperatur=1)  # type: ignore[call-arg, unused-coroutine]
pluriverse.asked  # type: ignore[attr-defined]
"""


def test_type_checkers_see_every_name_and_every_parameter(tmp_path: Path) -> None:
    names = "\n".join(f"pluriverse.{name}" for name in PUBLIC)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(names=names))
    root = Path(__file__).parents[2]  # with the settings of the checks, and so with what these found out already
    done = subprocess.run([sys.executable, "-m", "mypy", script], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["ask", "stream", "chat", "score", "pull", "fit", "assistants", "panels", "models"])
def test_a_function_shows_the_parameters_of_its_method(name: str) -> None:
    function, method = getattr(pluriverse, name), getattr(pluriverse.Pluriverse, name)
    assert [*inspect.signature(method).parameters] == ["self", *inspect.signature(function).parameters]
    assert (function.__name__, function.__doc__) == (name, method.__doc__)
    assert "self" not in inspect.signature(function).parameters and function.__doc__


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys; old = set(sys.modules); import pluriverse; print(*set(sys.modules) - old)"
    loaded = set(python(code).split())
    assert "pluriverse" in loaded and not loaded & set(HEAVY)
    assert {name for name in loaded if name.startswith("pluriverse")} == {"pluriverse"}


def test_importing_is_fast() -> None:
    """The best of five: everything above Python's own start in one import."""
    code = "import time; t = time.process_time(); import pluriverse; print(time.process_time() - t)"
    assert min(float(python(code)) for _ in range(5)) < 0.05
