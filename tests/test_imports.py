"""A minimal install: all modules and the first command work with what pluriverse itself asks for, and no extra."""

import json
import subprocess
import sys
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .patience import PATIENCE_S

EXTRAS = {"fastapi", "uvicorn", "pyarrow", "ray", "torch", "transformers", "pytest", "hypothesis", "mypy"}


@cache
def not_asked_for() -> list[str]:
    """Top-level modules that are, or could be, installed here, but do not come with `pip install pluriverse`."""
    wanted, known = [("pluriverse", frozenset[str]())], set()
    while wanted:
        name, extras = wanted.pop()
        if (name, extras) in known:
            continue
        known.add((name, extras))
        for words in distribution(name).requires or ():
            each = Requirement(words)
            if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                wanted.append((canonicalize_name(each.name), frozenset(each.extras)))
    names = {name for name, _ in known}
    others = {module for module, by in packages_distributions().items() if not names & set(map(canonicalize_name, by))}
    return sorted(others | EXTRAS)


def minimal(code: str, home: Path) -> str:
    """What `code` prints in a process in which nothing else can be imported."""
    before = (
        f"import sys\nfor name in {not_asked_for()}:\n    sys.modules[name] = None  # as if it were not installed\n"
    )
    environment = {"PLURIVERSE_HOME": str(home), "PLURIVERSE_BASE": "scripted", "PLURIVERSE_OFFLINE": "1"}
    command = [sys.executable, "-c", before + code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_not_asked_for_is_found() -> None:
    assert set(not_asked_for()) >= EXTRAS
    assert not {"numpy", "jinja2", "rich", "httpx2", "anyio", "xllamacpp", "pluriverse"} & set(not_asked_for())


def test_every_module_is_imported_without_extras(tmp_path: Path) -> None:
    code = """
import importlib, pkgutil, pluriverse
for module in pkgutil.walk_packages(pluriverse.__path__, "pluriverse."):
    if module.name != "pluriverse.__main__" and not module.name.startswith("pluriverse.server."):
        importlib.import_module(module.name)
        print(module.name)
"""
    assert len(minimal(code, tmp_path).split()) > 250


def test_serving_says_what_it_needs(tmp_path: Path) -> None:
    code = "from pluriverse.cli import main; sys.exit(main(['serve', '--json']) - 1)"
    assert json.loads(minimal(code, tmp_path))["error"]["hint"] == "pip install 'pluriverse[serve]'"


def test_the_first_command_runs_without_extras(tmp_path: Path) -> None:
    code = "from pluriverse.cli import main; sys.exit(main(['ask', 'Is lying ever right?', '--json']))"
    replies = json.loads(minimal(code, tmp_path))["replies"]
    assert len(replies) > 1 and all(reply["text"] for reply in replies)


def test_the_first_lines_of_python_run_without_extras(tmp_path: Path) -> None:
    code = "import pluriverse; print(pluriverse.ask('Is lying ever right?', ['duty', 'outcomes'], max_tokens=40))"
    assert "duty" in minimal(code, tmp_path)
