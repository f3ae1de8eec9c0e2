"""JSON schemas as grammars: what fits is allowed, what cannot be held to is told."""

import re

import pytest

from pluriverse.engines.json_schema import ANY, grammar_of
from pluriverse.errors import UsageError

CITY = {
    "type": "object",
    "title": "City",
    "properties": {
        "name": {"type": "string", "maxLength": 20, "description": "as people call it"},
        "size": {"enum": ["small", "large"]},
        "rivers": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/River"}, "maxItems": 2}, {"type": "null"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"River": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}


@pytest.mark.parametrize("schema", [CITY, ANY, {"type": ["string", "null"], "maxLength": 3}, True])
def test_grammars_have_every_rule_they_name(schema: object) -> None:
    rules = dict(line.split(" ::= ", 1) for line in grammar_of(schema).splitlines() if line)
    for body in rules.values():
        bare = re.sub(r'"(\\.|[^"\\])*"|\[(\\.|[^\]\\])*\]|\{[\d,]*\}', "", body)
        assert set(re.findall(r"[a-z]\w*", bare)) <= rules.keys()


@pytest.mark.parametrize(
    "schema",
    [
        "text", [], {"type": "strange"}, {"$ref": "http://elsewhere/"}, {"$ref": "#/missing"},
        {"type": "string", "pattern": "a+"}, {"type": "integer", "minimum": 3},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, {"enum": []}, {"allOf": [{}, {}]},
        {"type": "object", "properties": {}, "required": ["a"]}, {"type": "array", "minItems": 3, "maxItems": 2},
        {"type": "array", "items": {"type": "string"}, "maxItems": 10**9},
    ],
)  # fmt: skip
def test_what_no_reply_can_be_held_to_is_told(schema: object) -> None:
    with pytest.raises(UsageError):
        grammar_of(schema)


def test_depth_has_an_end() -> None:
    deep: dict = {}
    for _ in range(3000):
        deep = {"type": "array", "items": deep}
    with pytest.raises(UsageError, match=r"nested too deeply|too large"):
        grammar_of(deep)
