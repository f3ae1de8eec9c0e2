"""What may stand in the texts of a definition: lines and paragraphs that a terminal shows as they are."""

import re
import unicodedata

from ..errors import UsageError
from . import names

LONGEST_LINE = 4096  # characters of a title and the like
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the shape of a BCP 47 tag


def one_line(key: str, text: str) -> str:
    """`text` without space around it. UsageError for line breaks and control characters: it is shown on terminals."""
    text = text.strip()
    if len(text) > LONGEST_LINE:
        raise UsageError(f"{key} has {len(text):,} characters", f"{LONGEST_LINE:,} are the most")
    if text.isprintable() and text.isascii():
        return text
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise UsageError(f"{key} must be one line of plain text", "take out line breaks and control characters")
    if found := names.invisible(text):
        raise UsageError(f"{key} holds a character that nobody sees: U+{ord(found):04X}", "take it out, or retype it")
    return text


def several_lines(key: str, text: str) -> str:
    """`text` without space around it. UsageError for control characters other than line breaks and tabs."""
    text = text.replace("\r\n", "\n").strip()
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in text):
        raise UsageError(f"{key} holds control characters", "take them out; line breaks and tabs may stay")
    if names.hidden(text):
        raise UsageError(f"{key} holds tag characters, which hide words from people", "take them out, or retype it")
    return text
