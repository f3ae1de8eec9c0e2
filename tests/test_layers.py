"""The rules of the house, held by reading the source: who imports whom, what starting loads, who reads settings."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pluriverse

ROOT = Path(pluriverse.__file__).parent

# From the ground up. A module may import from its own layer and from those listed for it, never from above.
GROUND = {"errors", "values", "settings", "children", "files"}
MAY_IMPORT = {
    "errors": set(),
    "values": {"errors"},
    "settings": {"errors"},
    "children": {"settings"},
    "files": {"errors"},
    "store": GROUND,
    "catalogue": GROUND,
    "assistants": GROUND | {"store", "catalogue"},
    "engines": GROUND | {"store", "assistants"},
    "ask": GROUND | {"store", "catalogue", "assistants", "engines"},
    "measure": GROUND | {"store", "catalogue", "assistants", "engines", "ask"},
    "bridge": {"errors"},
    "aio": GROUND | {"store", "catalogue", "assistants", "engines", "ask", "measure"},
    "facade": GROUND | {"store", "catalogue", "assistants", "engines", "ask", "measure", "aio", "bridge"},
    "cli": GROUND | {"store", "catalogue", "assistants", "engines", "ask", "measure", "__init__"},
    "__init__": GROUND | {"store", "catalogue", "assistants", "engines", "ask", "measure", "aio", "facade", "bridge"},
    "__main__": {"cli"},
}  # fmt: skip

MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def layer(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py") if parts else "__init__"


def imports(module: Path) -> set[str]:
    """Layers of this package that a module imports, wherever in it."""
    package = list(module.parent.parts)
    found = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = [node.module.split(".")] if node.module else [[alias.name] for alias in node.names]
            found |= {layer((*base, *name)) for name in names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pluriverse":
            found.add(layer(tuple((node.module or "").split(".")[1:])))
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("pluriverse") for alias in node.names), module
    return found


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_nothing_is_imported_from_above_or_beside(module: Path) -> None:
    own = layer(module.parts)
    known = {name for name in imports(module) if name in MAY_IMPORT or (ROOT / name).exists()}
    assert known - {own} <= MAY_IMPORT[own] | ({"__init__"} if own in {"cli", "facade", "aio"} else set())


@pytest.mark.parametrize("module", [m for m in MODULES if m.name != "settings.py"], ids=str)
def test_only_settings_reads_the_environment(module: Path) -> None:
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            assert node.attr not in {"environ", "getenv", "putenv"}, f"{module}:{node.lineno}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_file_can_be_read_in_one_sitting(module: Path) -> None:
    text = (ROOT / module).read_text("utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)), "says what it knows"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{module}: {node.name}"


HEAVY = {"numpy", "rich", "asyncio", "httpx2", "huggingface_hub", "jinja2", "sqlite3", "xllamacpp", "tomli_w", "torch"}


@pytest.mark.parametrize("code", ["import pluriverse", "from pluriverse.cli import main; main(['--help'])"])
def test_starting_loads_nothing_heavy(code: str) -> None:
    probe = f"import sys\ntry:\n  {code}\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.split(".")[0] for name in done.stderr.split()}


def test_the_engines_process_loads_nothing_of_the_asking_side() -> None:
    probe = "import pluriverse.engines.local.worker, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not {"asyncio", "httpx2", "huggingface_hub", "rich", "sqlite3"} & loaded
