"""What assistants and panels may be called, and which known name somebody meant. Touches no disk."""

import re
from collections.abc import Iterable

from ..errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)})
# What no font draws: format and filler characters, and the direction marks that reorder what is around them. Joiners
# are writing where they stand between letters of scripts that join (or emoji), and nothing else is.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\0-\u02ff\u2000-\u200f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\u02ff\u2000-\u200f])"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")  # of a region, such as Scotland's
_TAG = re.compile("[\U000e0000-\U000e007f]")


def invisible(text: str) -> str | None:
    """The first character of a line that nobody sees, or that reorders it."""
    found = _INVISIBLE.search(_FLAG.sub("", text))
    return found[0] if found else None


def hidden(text: str) -> bool:
    """Whether a text holds tag characters: whole sentences that no terminal or editor shows and a model reads."""
    return bool(_TAG.search(_FLAG.sub("", text)))


def is_name(text: str) -> bool:
    """Whether `text` can name a file on every system: nothing in it can leave the folder it is put in."""
    return bool(_NAME.fullmatch(text)) and text not in _DEVICES


def checked(text: str, noun: str) -> str:
    """`text` itself; UsageError when it cannot be the name of a `noun` ("assistant", "panel")."""
    if is_name(text):
        return text
    if text in _DEVICES:
        raise UsageError(f"{text!r} cannot be the name of {a(noun)}: Windows keeps it for a device", "choose another")
    close, text = like_a_name(text), shortened(text)
    hint = "a name is 1 to 64 lower-case letters, digits and hyphens, and starts with a letter or digit"
    raise UsageError(f"{text!r} cannot be the name of {a(noun)}", f"{hint}; for example {close}" if close else hint)


def like_a_name(text: str) -> str | None:
    """The name that somebody who typed `text` may have had in mind: "Market Liberal" is market-liberal."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64]
    return name if is_name(name) else None


def shortened(text: str, most: int = 200) -> str:
    """For an error: what a file says may be long."""
    return text if len(text) <= most else f"{text[:most]}..."


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is like it."""
    import difflib

    known, word = list(known), word[:200]
    return next((name for name in known if name == like_a_name(word)), None) or next(
        iter(difflib.get_close_matches(word.lower(), known, 1, 0.6)), None
    )


def a(noun: str) -> str:
    """The noun with its article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
