"""TOML that people and other packages wrote. What would take the parser long, or make it fail in ways of its own, is
refused before it.

Knows text; no files, and not what a document should say.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

# A string or comment, up to its end or, where it has none, as far as it can go: so that each is passed once.
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|'
    r"'''(?:[^']|'(?!''))*+(?:''')?|"
    r'"(?:[^"\\\n]|\\.)*+"?|'
    r"'[^'\n]*+'?|#[^\n]*+",
    re.DOTALL,
)
_LONG_WORD = re.compile(r"[\w+-]{65}")
_DEEP_KEY = re.compile(r'(?:\.[ \t]*+(?:[\w-]++|"")[ \t]*+){16}')


class TooMuch(ValueError):
    """What no document that was meant well holds, in words."""


def parse(text: str, most: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The document. `most`: how often a sign may stand in it, outside of strings and comments.

    TooMuch; ValueError, with line and column where they are known, for what is no TOML.
    """
    frame = _TEXT.sub('""', text)
    for sign, count in (most or {}).items():
        if frame.count(sign) > count:
            raise TooMuch(f"it has more than {count:,} times {sign!r}")
    if _LONG_WORD.search(frame):
        raise TooMuch("a key or number in it is longer than 64 characters")
    if _DEEP_KEY.search(frame):
        raise TooMuch("a key in it is nested too deeply")
    try:
        return tomllib.loads(text)
    except (RecursionError, OverflowError):
        raise ValueError("it is nested too deeply") from None
