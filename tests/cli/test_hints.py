"""Every command that pluriverse tells somebody to type is one that its own parser understands, quoted for a shell."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pluriverse
from pluriverse.cli import _parser
from pluriverse.cli.terminal.parser import HelpAsked, Parser, parse
from pluriverse.errors import UsageError, command

from .conftest import Call

ROOT = Path(pluriverse.__file__).parent
# A command ends at a backtick, bracket, semicolon, line's end, two spaces, or a comma before a space.
_COMMAND = re.compile(r"(?:^|(?<=[\s:;(`|]))pluriverse (?!\()((?:[^`;,\n) ]| (?! )|,(?! ))*)")
_MAY_HOLD_ONE = re.compile(r"\bpluriverse |\bcommand\(|\bprog\b|\b_P\b")
_PROSE = {
    "COMMAND",
    "does",
    "has",
    "is",
    "knows",
    "may",
    "on",
    "responses",
    "this",
}  # words behind our name that are no command
_HOLE = "\x00"  # where a value is put in
_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z_]*\b(?!:)")
_SAMPLES = ("duty", "7", "assistant", "scripted")


def literal(node: ast.AST) -> str | None:
    """The text of a string in the source; values that are put in are holes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else told(part.value) for part in node.values)  # type: ignore[attr-defined]
    return None


def told(value: ast.expr) -> str:
    """What a value becomes in a text: the names of programs and calls of `command` are known, others are holes."""
    if isinstance(value, ast.Attribute) and value.attr == "prog":
        return "pluriverse"
    if isinstance(value, ast.Name) and value.id in {"prog", "_P"}:
        return {"prog": "pluriverse", "_P": "pluriverse engine"}[value.id]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "command":
        words = [literal(each) or _HOLE for each in value.args if not isinstance(each, ast.Starred)]
        return " ".join(["pluriverse", *(word if _HOLE in word else shlex.quote(word) for word in words)])
    return _HOLE


def commands() -> Iterator[tuple[str, str]]:
    """Where a command stands in the source, and the command."""
    for file in sorted(ROOT.rglob("*.py")):
        source = file.read_text("utf-8")
        if not _MAY_HOLD_ONE.search(source):
            continue
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.expr | ast.Expr)]
        documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        inner = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        for node in nodes:
            if id(node) in documentation or (id(node) in inner and not isinstance(node, ast.JoinedStr)):
                continue
            text = told(node) if isinstance(node, ast.Call) else literal(node)
            for found in _COMMAND.finditer(text or ""):
                first = found[1].partition(" ")[0].rstrip(".,")
                if first and first not in _PROSE and first[0] not in _HOLE + "{":
                    yield (
                        f"{file.relative_to(ROOT)}:{node.lineno}",
                        f"pluriverse {re.sub(r'[?]?[ ]*(?<![.])[.]?$', '', found[1])}",
                    )  # type: ignore[attr-defined]


FOUND = sorted(set(commands()))


@cache
def parser() -> Parser:
    return _parser()[0]


def understood(words: list[str]) -> bool:
    try:
        args = parse(parser(), words)
    except HelpAsked:
        return True
    except UsageError:
        return False
    return args.run is not None


def test_commands_are_found() -> None:
    assert len(FOUND) > 80


@pytest.mark.parametrize(("place", "text"), FOUND, ids=lambda value: str(value).replace(_HOLE, "*"))
def test_a_told_command_works_when_typed(place: str, text: str) -> None:
    bare = re.sub(r"hf:\S+|'[^']*'|\"[^\"]*\"|[A-Z]=\S+|--as \S+", "", text)
    assert "..." not in text and not _PLACEHOLDER.search(bare), place
    tries = [shlex.split(text.replace(_HOLE, sample)) for sample in _SAMPLES]
    assert any(understood(words[1:]) for words in tries), place


NAMES = ["a b", "it's", '"quoted"', "$(touch here)", "`x`", "a;b", "-x", "*", "né", "x & y"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "words", [["show"], ["rm"], ["edit"], ["chat"], ["card"], ["verify"], ["pull"], ["ask", "Hi", "--base"], []]
)
def test_hints_quote_what_was_typed(call: Call, words: list[str], name: str) -> None:
    """Whatever was typed wrongly: a command in the hint is one line that a shell takes apart as it is meant."""
    given = [*words[:-1], f"--base={name}"] if "--base" in words else [*words, *(["--"] * bool(words)), name]
    result = call("--json", *given)
    hint = result.document["error"]["hint"] or ""
    quoted = re.findall(r"`(pluriverse .*)`", hint) or [found[0] for found in _COMMAND.finditer(hint)]
    for typed in quoted:
        assert understood(shlex.split(typed)[1:]), hint


def test_a_command_is_quoted_for_a_shell() -> None:
    for name in NAMES:
        assert shlex.split(command("show", name)) == ["pluriverse", "show", name]


def test_a_missing_counterpart_can_be_made_as_told(call: Call) -> None:
    call("new", "north", "--system", "You love winter.", "--counterpart", "south", "--guidance", "2")
    hint = call("ask", "Hi", "--with", "north", "--json").document["error"]["hint"]
    make = _COMMAND.search(hint)
    assert make is not None
    assert call(*shlex.split(make[1])).code == 0
    assert call("ask", "Hi", "--with", "north").code == 0


def test_a_taken_name_can_be_replaced_as_told(call: Call) -> None:
    for words in (("new", "duty", "--system", "x"), ("panel", "new", "values", "duty")):
        assert "--force" in call(*words, "--json").document["error"]["hint"]
        assert call(*words, "--force").code == 0


def test_a_base_with_a_typo_is_looked_for_in_the_catalogue(call: Call) -> None:
    result = call("ask", "Hi", "--base", "qwen2.5-1.5b-instrukt")
    assert result.code == 1 and "hint: did you mean qwen2.5-1.5b-instruct?" in result.err
    assert "pluriverse catalogue" in call("ask", "Hi", "--base", "nothing-like-it-at-all").err
