"""JSON schemas as grammars (GBNF), so that a reply can be nothing but JSON that fits.

Covers what programs write for structured output: objects, arrays, strings, numbers, enums, `anyOf`, `$ref` inside the
schema. What it cannot hold a reply to is an error, never left out in silence. Knows schemas and grammars' text only.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import UsageError

ANY: dict[str, Any] = {"type": "object"}
"""The schema of any JSON object."""

_MOST_RULES = 2000
_MOST_COUNT = 1000  # items or characters that a schema may count
_TOLD = {
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly",
    "$defs", "definitions", "type", "discriminator",
}  # fmt: skip
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "string": {"minLength", "maxLength"},
}
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_COMMON = r"""
ws ::= | " " | "\n" [ \t]{0,20}
char ::= [^"\\\x7F\x00-\x1F] | [\\] (["\\bfnrt] | "u" [0-9a-fA-F]{4})
string ::= "\"" char* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
boolean ::= "true" | "false"
null ::= "null"
value ::= object | array | string | number | boolean | null
object ::= "{" ws (string ws ":" ws value ws ("," ws string ws ":" ws value ws)*)? "}"
array ::= "[" ws (value ws ("," ws value ws)*)? "]"
"""


def grammar_of(schema: object) -> str:
    """GBNF whose rule "root" is JSON that fits `schema`. UsageError for what it cannot be held to, naming it."""
    maker = _Maker(schema)
    try:
        root = maker.rule(schema, "the schema")
    except RecursionError:
        raise UsageError("the JSON schema is nested too deeply") from None
    lines = [f"root ::= ws {root} ws", *(f"{name} ::= {body}" for name, body in maker.rules.items())]
    return "\n".join(lines) + _COMMON


class _Maker:
    """Rules by name; a schema that is referred to becomes a rule once, so that it may refer to itself."""

    def __init__(self, whole: object) -> None:
        self.rules: dict[str, str] = {}
        self._whole = whole
        self._named: dict[str, str] = {}

    def rule(self, schema: object, where: str) -> str:
        """What stands for the schema in a rule."""
        if schema is True or schema == {}:
            return "value"
        if not isinstance(schema, Mapping):
            raise UsageError(f"{where} is no JSON schema")
        for name, ways in (("anyOf", "|"), ("oneOf", "|"), ("allOf", "")):
            if name in schema:
                return self._several(schema, name, ways, where)
        if "$ref" in schema:
            return self._referred(schema["$ref"], where)
        if "const" in schema or "enum" in schema:
            self._only(schema, {"const", "enum"}, where)
            found = [schema["const"]] if "const" in schema else schema["enum"]
            if not isinstance(found, list) or not found:
                raise UsageError(f"{where}: enum holds no values")
            return self._add(" | ".join(_quoted(json.dumps(each, ensure_ascii=False)) for each in found))
        return self._typed(schema, where)

    def _typed(self, schema: Mapping[str, Any], where: str) -> str:
        kinds = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else None)
        if isinstance(kinds, list) and kinds:
            return self._add(" | ".join(self.rule(_of_type(schema, each, kinds), where) for each in kinds))
        if kinds is None:
            self._only(schema, set(), where)
            return "value"
        if kinds not in _TYPES:
            raise UsageError(f"{where}: the type {str(kinds)[:40]!r} is not known", f"known are: {', '.join(_TYPES)}")
        self._only(schema, _BY_TYPE.get(kinds, set()), where)
        match kinds:
            case "object" if "properties" in schema or "additionalProperties" in schema:
                return self._object(schema, where)
            case "array" if _BY_TYPE["array"] & schema.keys():
                return self._array(schema, where)
            case "string" if _BY_TYPE["string"] & schema.keys():
                return self._add(rf'"\"" char{_times(schema, "minLength", "maxLength", where)} "\""')
        return str(kinds)

    def _several(self, schema: Mapping[str, Any], name: str, between: str, where: str) -> str:
        self._only(schema, {name}, where)
        parts = schema[name]
        if not isinstance(parts, list) or not parts or (name == "allOf" and len(parts) > 1):
            raise UsageError(f"{where}: {name} cannot be followed here", "write it as one schema")
        return self._add(f" {between} ".join(self.rule(each, where) for each in parts))

    def _referred(self, ref: object, where: str) -> str:
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise UsageError(f"{where} refers to {str(ref)[:100]!r}", "every $ref must point into the schema itself")
        if ref not in self._named:
            found: Any = self._whole
            for part in filter(None, ref[1:].split("/")):
                part = part.replace("~1", "/").replace("~0", "~")
                if not isinstance(found, Mapping) or part not in found:
                    raise UsageError(f"{where} refers to {ref[:100]!r}, which is not there")
                found = found[part]
            name = self._named[ref] = f"r{len(self._named)}"
            self.rules[name] = self.rule(found, ref)
            if self.rules[name] == name:
                raise UsageError(f"{ref[:100]} refers to nothing but itself")
        return self._named[ref]

    def _object(self, schema: Mapping[str, Any], where: str) -> str:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            raise UsageError(f"{where}: properties or required do not fit")
        if missing := [str(each) for each in required if each not in properties]:
            raise UsageError(f"{where} requires {missing[0][:100]!r}, which is no property of it")
        more = schema.get("additionalProperties", False)
        then = first = '""'
        if more is not False:
            pair = f'string ws ":" ws {self.rule(more, where)} ws'
            then = self._add(f'("," ws {pair})*')
            first = self._add(f'({pair} ("," ws {pair})*)?')
        for name, each in reversed(list(properties.items())):
            pair = f'{_quoted(json.dumps(name, ensure_ascii=False))} ws ":" ws {self.rule(each, f"{where}.{name}")} ws'
            skip_first, skip_then = ("", "") if name in required else (f" | {first}", f" | {then}")
            first, then = self._add(f"{pair} {then}{skip_first}"), self._add(f'"," ws {pair} {then}{skip_then}')
        return self._add(f'"{{" ws {first} "}}"')

    def _array(self, schema: Mapping[str, Any], where: str) -> str:
        if "prefixItems" in schema:
            self._only(schema, {"prefixItems", "items", "minItems", "maxItems"}, where)
            items = [self.rule(each, where) for each in schema["prefixItems"]]
            return self._add('"[" ws ' + ' ws "," ws '.join(items) + ' ws "]"')
        item = self.rule(schema.get("items", True), where)
        low, high = _counts(schema, "minItems", "maxItems", where)
        if high == 0:
            return self._add('"[" ws "]"')
        rest = f"{{{max(low - 1, 0)},{'' if high is None else high - 1}}}"
        body = f'{item} ws ("," ws {item} ws){rest}'
        return self._add(f'"[" ws {body if low else f"({body})?"} "]"')

    def _add(self, body: str) -> str:
        if len(self.rules) >= _MOST_RULES:
            raise UsageError("the JSON schema is too large", "make it simpler")
        name = f"n{len(self.rules)}"
        self.rules[name] = body
        return name

    def _only(self, schema: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        for name in schema:
            if name not in _TOLD and name not in known and not (name == "format" and schema.get("type") == "string"):
                raise UsageError(f"{where}: replies cannot be held to {name!r}", "leave it out, and check it yourself")


def _of_type(schema: Mapping[str, Any], kind: object, kinds: Iterable[object]) -> dict[str, Any]:
    """A schema of several types as one of them: what only counts for the others is left out."""
    others = set().union(*(_BY_TYPE.get(str(each), set()) for each in kinds if each != kind))
    return {**{name: each for name, each in schema.items() if name not in others}, "type": kind}


def _counts(schema: Mapping[str, Any], least: str, most: str, where: str) -> tuple[int, int | None]:
    low, high = schema.get(least, 0), schema.get(most)
    for each in (low, high):
        if each is not None and not (isinstance(each, int) and 0 <= each <= _MOST_COUNT):
            raise UsageError(f"{where}: {least} and {most} go from 0 to {_MOST_COUNT}")
    if high is not None and high < low:
        raise UsageError(f"{where}: {most} is smaller than {least}")
    return low, high


def _times(schema: Mapping[str, Any], least: str, most: str, where: str) -> str:
    low, high = _counts(schema, least, most, where)
    return f"{{{low},{'' if high is None else high}}}"


def _quoted(text: str) -> str:
    """A literal of GBNF."""
    marks = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(marks.get(each, each) for each in text) + '"'
