"""Text without what no reader sees and what a terminal or a model might obey. Knows characters only."""

import re

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,32}[ -/]{0,8}[@-~]"  # colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,256}(?:\x07|\x1b\\|\x9c)"  # titles, links
    r"|\x1b[ -/]{0,4}[0-~]"
)
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[\t\u00a0\u2000-\u200a\u202f\u205f]")
# Controls; soft hyphens; marks that turn the direction of writing; joiners of nothing; annotations; noncharacters;
# halves of characters; tags, which spell words that nobody sees. Joiners that scripts need (U+200C, U+200D) stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
    "\ufdd0-\ufdef\ud800-\udfff\U000e0000-\U000e0fff]"
)
REPLACED = "\ufffd"
"""Stands for what could not be read; counted, then dropped."""


def clean(text: str) -> str:
    """The same text as people see it, its lines ended by newlines. Letters, accents and their order stay."""
    if not text.isascii() or _CONTROLS.search(text):
        text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
        text = _UNSEEN.sub("", _SPACES.sub(" ", text))
    return text


_CONTROLS = re.compile(r"[^\n -~]")


def flat(text: str, most: int = 200) -> str:
    """A title or a name in one line of at most so many characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
