"""How a definition is laid out as a TOML file: every key with a line that explains it, values escaped by tomli_w.

Knows how it looks; nothing of what is allowed. Keys without a value are written as comments, so that whoever edits the
file sees what there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | int | float | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One key: what it says about itself, and an example that stands there as a comment where it has no value."""

    key: str
    value: Value | None
    comment: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One table with its own comment; `examples` are shown as comments where it holds nothing.

    The name "[works]" is that of one among several: `[[works]]`.
    """

    name: str
    comment: str
    lines: Sequence[Line]
    examples: Sequence[str] = ()


def file(heading: str, lines: Sequence[Line], sections: Sequence[Section] = ()) -> str:
    """The whole file, ending with a line break."""
    blocks = [_comment(heading), *("\n".join(_line(line)) for line in lines)]
    blocks += [_section(section) for section in sections]
    return "\n\n".join(blocks) + "\n"


def _section(section: Section) -> str:
    written = [text for line in section.lines for text in _line(line)]
    comment = [_comment(section.comment)] if section.comment else []
    return "\n".join([*comment, f"[{section.name}]", *written, *(f"# {e}" for e in section.examples)])


def _line(line: Line) -> list[str]:
    comment = [_comment(line.comment)] if line.comment else []
    if line.value is None:
        return [*comment, f"# {line.key} = {line.example}"] if line.example else []
    return [*comment, assignment({line.key: line.value})]


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())


def assignment(values: Mapping[str, Value]) -> str:
    """`key = value` in TOML; texts of several lines or of much length between triple quotation marks."""
    import tomli_w

    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    return tomli_w.dumps(plain, multiline_strings=True).strip("\n")
