"""The rules of the house, held by reading the source: who imports whom, what starting loads, who reads settings."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest

import pluriverse

ROOT = Path(pluriverse.__file__).parent

# From the ground up: a room and those that it may import from. What lies above or beside it is never among them.
GROUND = {"errors", "values", "settings", "children", "files", "jsonl", "doors", "toml", "pictures"}
BELOW = GROUND | {"store", "catalogue", "assistant", "engines"}
ASKING = BELOW | {"works", "runtime", "chats", "asking"}
SCHEMA = {"measure.schema", "measure.stats", "measure.data", "measure.classify"}
MEASURE = SCHEMA | {f"measure.{inside}" for inside in ("judges", "metrics", "run", "results", "exchange")} | {"measure"}
VERBS = ASKING | MEASURE | {"report", "panelcheck", "optimise"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "values": {"errors"},
    "settings": {"errors"},
    "children": {"settings"},
    "files": {"errors"},
    "jsonl": {"errors", "files"},
    "doors": {"errors"},
    "toml": set(),
    "pictures": {"errors", "values"},
    "store": GROUND,
    "catalogue": GROUND,
    "assistant": GROUND | {"store", "catalogue"},
    "engines": GROUND | {"store", "catalogue", "assistant"},
    "works": GROUND | {"store", "catalogue", "engines"},
    "runtime": BELOW | {"works"},
    "chats": GROUND | {"runtime"},
    "asking": BELOW | {"runtime", "chats"},
    "measure.schema": {"errors", "doors"},
    "measure.stats": {"errors"},
    "measure.data": GROUND | {"store", "catalogue", "measure.schema"},
    "measure.classify": GROUND | {"engines", "measure.schema", "measure.stats", "measure.data"},
    "measure.judges": GROUND | {"engines"} | SCHEMA,
    "measure.metrics": GROUND | SCHEMA | {"measure.judges"},
    "measure.run": ASKING - {"chats"} | SCHEMA | {"measure.judges", "measure.metrics"},
    "measure.results": GROUND | SCHEMA | {"measure.judges", "measure.metrics", "measure.run"},
    "measure.exchange": GROUND | SCHEMA | {"measure.metrics"},
    "measure": ASKING - {"chats"} | MEASURE,
    "report": {"measure.schema", "measure.stats", "measure.results"},
    "panelcheck": ASKING - {"chats"} | MEASURE,
    "optimise": ASKING - {"chats"} | MEASURE,
    "api": VERBS,
    "aio": {"api"},
    "cli.terminal": VERBS - {"asking", "panelcheck", "optimise"},
    "server": VERBS,
    "cli.commands": VERBS | {"cli.terminal", "server"},
    "cli": GROUND | {"cli.commands", "cli.terminal"},
    "__init__": VERBS | {"aio", "api"},
    "__main__": {"cli"},
}  # fmt: skip

STUB = Path("__init__.pyi")  # the public names, and where each is imported from
MODULES = sorted([*(path.relative_to(ROOT) for path in ROOT.rglob("*.py")), STUB])
NAMES = {".".join(path.with_suffix("").parts).removesuffix("__init__").rstrip("."): path for path in MODULES}


@cache
def nodes(module: Path) -> tuple[ast.AST, ...]:
    """All of a module's syntax tree."""
    return tuple(ast.walk(ast.parse((ROOT / module).read_text("utf-8"))))


def room(name: str) -> str:
    """Of a module: the folder that it lies in; `measure` and `cli` have rooms of their own inside."""
    parts = name.split(".")
    inside = parts[0] in {"measure", "cli"} and len(parts) > 1 and (ROOT / parts[0] / parts[1]).is_dir()
    return ".".join(parts[:2]) if inside else parts[0] or "__init__"


@cache
def imports(name: str) -> set[str]:
    """Modules of this package that one imports, wherever in it."""
    package = list(NAMES[name].parent.parts)
    found = set()
    for node in nodes(NAMES[name]):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "pluriverse"):
            words = node.module.split(".") if node.module else []
            base = [*package[: len(package) - node.level + 1], *words] if node.level else words[1:]
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                found.add(whole if whole in NAMES else ".".join(base))
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("pluriverse") for alias in node.names), name
    return found


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_imported_from_above_or_beside(name: str) -> None:
    own = room(name)
    version = {"__init__"} if own in {"cli", "server"} else set()
    assert {room(each) for each in imports(name)} - {own} <= MAY_IMPORT[own] | version


def test_rooms_stand_above_each_other() -> None:
    """No room may import from one that may import from it, by whatever way."""
    above = {own: set(below) - {own} for own, below in MAY_IMPORT.items()}
    while above:
        lowest = {own for own, below in above.items() if not below & above.keys()}
        assert lowest, f"a circle among {sorted(above)}"
        above = {own: below for own, below in above.items() if own not in lowest}


def test_no_module_is_imported_in_a_circle() -> None:
    open_ = {name: imports(name) - {name, ""} for name in NAMES if name}
    # A package's own names may come from its modules; that is no circle unless a module asks the package for them.
    while open_:
        lowest = {name for name, wanted in open_.items() if not wanted & open_.keys()}
        assert lowest, f"a circle among {sorted(open_)}"
        open_ = {name: wanted for name, wanted in open_.items() if name not in lowest}


@pytest.mark.parametrize("module", [m for m in MODULES if m.name != "settings.py"], ids=str)
def test_only_settings_reads_the_environment(module: Path) -> None:
    for node in nodes(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            assert node.attr not in {"environ", "getenv", "putenv"}, f"{module}:{node.lineno}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_file_can_be_read_in_one_sitting(module: Path) -> None:
    text = (ROOT / module).read_text("utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(nodes(module)[0]), "says what it knows"  # type: ignore[arg-type]
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{module}: {node.name}"


HEAVY = {"numpy", "rich", "asyncio", "httpx2", "huggingface_hub", "jinja2", "sqlite3", "xllamacpp", "tomli_w", "torch",
         "fastapi", "uvicorn", "pydantic", "mcp"}  # fmt: skip


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


@cache
def loaded_names() -> dict[str, int]:
    """How often each name is read anywhere in the package: as a name, an attribute, an import or a whole string."""
    found = {each.attr: 1 for each in distribution("pluriverse").entry_points}  # opened by its name behind a door
    for module in MODULES:
        for node in nodes(module):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                    found[name] = found.get(name, 0) + 1
                case ast.ImportFrom(names=aliases):
                    for alias in aliases:
                        found[alias.name] = found.get(alias.name, 0) + 1
                case _:
                    pass
    return found


# Asked for by argparse, IPython, uvicorn and starlette.
BY_NAME = re.compile(r"startup|capture_signals|stream_response|print_help|_check_value|_repr_\w+_|__\w+__")
# What only benchmarks and the contract suite ask of an engine.
OUTSIDE = {"pid"}
# What comes in by a door: the words after the colon in the entry points of `pyproject.toml`.
DOORS = {each.attr for each in distribution("pluriverse").entry_points}


def routed(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether it is a route of the server: decorated `@routes.post(...)`."""
    for each in node.decorator_list:
        match each:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="routes"))):
                return True
    return False


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_nothing_stands_here_that_nobody_uses(module: Path) -> None:
    names = loaded_names()
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            used = node.name in names or BY_NAME.fullmatch(node.name) or node.name in OUTSIDE | DOORS or routed(node)
            assert used, f"{module}:{node.lineno} {node.name}"
