"""JSON schemas as grammars: what each becomes, and what a reply cannot be held to, named."""

from typing import Any

import pytest

from pluriverse.engines import json_schema
from pluriverse.engines.json_schema import grammar_of
from pluriverse.errors import UsageError

NAMED = {"$defs": {"a/b": {"type": "array", "items": {"$ref": "#/$defs/a~1b"}}}, "$ref": "#/$defs/a~1b"}


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        (True, "root ::= ws value ws"),
        ({"title": "Anything"}, "root ::= ws value ws"),
        ({"type": "integer"}, "root ::= ws integer ws"),
        ({"type": "string", "format": "date"}, "root ::= ws string ws"),
        ({"type": "string", "minLength": 2}, r'"\"" char{2,} "\""'),
        ({"type": "string", "maxLength": 3}, r'"\"" char{0,3} "\""'),
        ({"enum": ["yes\n", 1]}, r'"\"yes\\n\"" | "1"'),
        ({"const": None}, 'n0 ::= "null"'),
        ({"type": ["string", "null"], "minLength": 1}, r'n0 ::= "\"" char{1,} "\""'),
        ({"anyOf": [{"type": "null"}, {"type": "number"}]}, "n0 ::= null | number"),
        ({"allOf": [{"type": "null"}]}, "n0 ::= null"),
        (NAMED, 'r0 ws ("," ws r0 ws){0,}'),
        ({"items": {"type": "null"}, "maxItems": 0}, '"[" ws "]"'),
        ({"items": {"type": "null"}, "minItems": 2, "maxItems": 4}, 'null ws ("," ws null ws){1,3} "]"'),
        ({"type": "array", "prefixItems": [True, {"type": "null"}]}, '"[" ws value ws "," ws null ws "]"'),
        ({"properties": {"a": True}, "required": ["a"]}, r'"\"a\"" ws ":" ws value ws ""'),
        ({"properties": {"a": True, "é": True}}, r'"," ws "\"é\"" ws ":" ws value ws'),
        ({"type": "object", "additionalProperties": {"type": "null"}}, '("," ws string ws ":" ws null ws)*'),
    ],
)
def test_a_schema_becomes_a_rule(schema: Any, rule: str) -> None:
    grammar = grammar_of(schema)
    assert grammar.startswith("root ::= ws ") and rule in grammar, grammar


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (5, "the schema is no JSON schema"),
        ({"enum": []}, "enum holds no values"),
        ({"type": "date"}, "the type 'date' is not known"),
        ({"type": "string", "pattern": "a"}, "cannot be held to 'pattern'"),
        ({"type": "number", "format": "x"}, "cannot be held to 'format'"),
        ({"anyOf": []}, "anyOf cannot be followed"),
        ({"allOf": [True, True]}, "allOf cannot be followed"),
        ({"$ref": "https://example.org"}, "refers to 'https://example.org'"),
        ({"$ref": 5}, "refers to '5'"),
        ({"$ref": "#/a"}, "which is not there"),
        ({"$ref": "#"}, "nothing but itself"),
        ({"type": "object", "properties": []}, "properties or required do not fit"),
        ({"properties": {}, "required": ["a"]}, "requires 'a'"),
        ({"items": True, "minItems": -1}, "go from 0 to"),
        ({"items": True, "minItems": 2, "maxItems": 1}, "maxItems is smaller"),
        ({"properties": {"a": {"type": "x"}}}, "the schema.a"),
    ],
)
def test_what_a_reply_cannot_be_held_to_is_told(schema: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        grammar_of(schema)


def test_no_schema_is_too_deep_or_too_large_to_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = {"type": "null"}
    for _ in range(5000):
        deep = {"items": deep}
    with pytest.raises(UsageError, match="too deeply"):
        grammar_of(deep)
    monkeypatch.setattr(json_schema, "_MOST_RULES", 3)
    with pytest.raises(UsageError, match="too large"):
        grammar_of({"properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}})
