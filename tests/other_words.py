"""Every sentence of the package is another one: what people read, in all rooms that decide what may be shown.

`install` puts a finder before Python's own: each module of these rooms is compiled from a tree in which every literal
of two words or more, also in the middle of an f-string, begins with a mark of its own place. No two literals stay alike
then, not even where they were; so that whatever is decided by searching, comparing or cutting a sentence goes wrong.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

_ROOMS = ("measure", "panelcheck", "report", "optimise", "cli", "errors", "runtime", "assistant", "chats", "api")
# What models are told or asked, what is read from texts and files, and what addresses and pages are made of.
_LEFT = re.compile(
    r"\.(measure\.(data|classify|judges\.prompts)|report\.(style|markup|svg|tables)|assistant\.(assistant|listing|reading)"
    r"|panelcheck\.questions|cli\.terminal\.(text|streams|progress|output|parser|typed|tables)|runtime\.requests)\b"
)
_SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:)]? [(]?[A-Za-z]{2,}|[A-Za-z]{3,}[;:,] $|^[;:,] [a-z]{2,}")
# Values that programs exchange, with a space in them: fields of documents and kinds of things, told to no one.
_VALUES = {
    "measured here", "checking judges", "rules and judges", "nobody guided", "not asked", "no data", "no refusal",
    "report command", "answering by lot", "always the commonest answer", "people of another country",
}  # fmt: skip
# What a voice or a judge hears.
_HEARD = re.compile(r"Answer as you would answer anybody|You speak for|What do you believe\?")


class _Other(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self._module, self._place = module.rpartition(".")[2], 0

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)  # type: ignore[return-value]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Types stay."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        return node if literal else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        text = node.value
        if not isinstance(text, str) or text in _VALUES or _HEARD.search(text) or not _SENTENCE.search(text):
            return node
        self._place += 1
        return ast.copy_location(ast.Constant(f"~{self._module}.{self._place}~ {text}"), node)


class _Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:
        tree = _Other(self.name).visit(ast.parse(data))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True, optimize=_optimize)

    def get_code(self, fullname: str) -> Any:
        """Never from what an earlier start compiled, which has the usual words."""
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if self.name == "pluriverse.report.labels":
            _relabelled(module)


def _relabelled(labels: ModuleType) -> None:
    """Names of metrics and classes are single words: they too are others."""
    usual = labels.metric_of
    labels.metric_of = lambda name: replace(found := usual(name), title=f"~{found.title}~")  # type: ignore[attr-defined]
    labels.CLASS_TITLES = {name: f"~{title}~" for name, title in labels.CLASS_TITLES.items()}  # type: ignore[attr-defined]


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        parts = name.split(".")
        if parts[0] != "pluriverse" or len(parts) < 2 or parts[1] not in _ROOMS or _LEFT.search(name):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return spec
        places = spec.submodule_search_locations
        loader = _Loader(name, spec.origin)
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=loader, submodule_search_locations=places
        )


def install() -> None:
    assert not any(name.startswith("pluriverse.") for name in sys.modules), "before anything is imported"
    sys.meta_path.insert(0, _Finder())
