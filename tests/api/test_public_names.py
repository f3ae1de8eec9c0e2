"""The public API is one list; importing it costs nothing; no package hides a function of the same name."""

import json
import subprocess
import sys

import pytest

import pluriverse

PUBLIC = [
    "AskEvent",
    "AskFinished",
    "Assistant",
    "BaseChosen",
    "Chat",
    "CheckOptions",
    "ContextOverflowError",
    "Digest",
    "EngineCrashedError",
    "EngineError",
    "Fetching",
    "Figure",
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
    "Pluriverse",
    "PluriverseError",
    "Pulled",
    "Replies",
    "Reply",
    "ReplyChunk",
    "ReplyFinished",
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
    "__version__",
    "aio",
    "ask",
    "assistants",
    "chat",
    "models",
    "panels",
    "pull",
    "score",
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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
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


@pytest.mark.parametrize(
    "first",
    [
        "pluriverse.Reply, pluriverse.Assistant",
        "import pluriverse.ask, pluriverse.assistants",
        "from pluriverse.ask.conversation import Conversation; from pluriverse.assistants import Shelf",
        "import pluriverse.aio",
        "pluriverse.ask, pluriverse.assistants",
    ],
)
def test_functions_are_not_hidden_by_the_packages_of_their_name(first: str) -> None:
    code = f"""
import pluriverse
{first}
import pluriverse.ask, pluriverse.assistants
from pluriverse import ask, assistants
from pluriverse.ask.conversation import Conversation
from pluriverse.assistants import Shelf
print(type(ask).__name__, type(assistants).__name__, pluriverse.ask is ask, pluriverse.assistants is assistants)
"""
    assert python(code).split() == ["function", "function", "True", "True"]


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys; old = set(sys.modules); import pluriverse; print(*set(sys.modules) - old)"
    loaded = set(python(code).split())
    assert "pluriverse" in loaded and not loaded & set(HEAVY)
    assert {name for name in loaded if name.startswith("pluriverse")} == {"pluriverse"}


def test_importing_is_fast() -> None:
    """The best of five: everything above Python's own start in one import."""
    code = "import time; t = time.perf_counter(); import pluriverse; print(time.perf_counter() - t)"
    assert min(float(python(code)) for _ in range(5)) < 0.05
