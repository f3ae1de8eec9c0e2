"""What assistants and panels may be called, and which known name somebody meant. Touches no disk."""

import re
from collections.abc import Iterable

from ..errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)})


def is_name(text: str) -> bool:
    """Whether `text` can name a file on every system: nothing in it can leave the folder it is put in."""
    return bool(_NAME.fullmatch(text)) and text not in _DEVICES


def checked(text: str, noun: str) -> str:
    """`text` itself; UsageError when it cannot be the name of a `noun` ("assistant", "panel")."""
    if is_name(text):
        return text
    if text in _DEVICES:
        raise UsageError(f"{text!r} cannot be the name of {a(noun)}: Windows keeps it for a device", "choose another")
    close = like_a_name(text)
    hint = "a name is 1 to 64 lower-case letters, digits and hyphens, and starts with a letter or digit"
    raise UsageError(f"{text!r} cannot be the name of {a(noun)}", f"{hint}; for example {close}" if close else hint)


def like_a_name(text: str) -> str | None:
    """The name that somebody who typed `text` may have had in mind: "Market Liberal" is market-liberal."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64]
    return name if is_name(name) else None


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is like it."""
    import difflib

    known = list(known)
    return next((name for name in known if name == like_a_name(word)), None) or next(
        iter(difflib.get_close_matches(word.lower(), known, 1, 0.6)), None
    )


def a(noun: str) -> str:
    """The noun with its article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
