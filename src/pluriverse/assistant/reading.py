"""TOML that a person wrote, read key by key; what does not fit is told with the file, the key and what would fit.

Knows tables, keys and types; nothing of what the keys mean.
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import files, toml
from ..errors import PluriverseError, UsageError
from .names import near, shortened

MAX_BYTES = 512 * 1024  # far more than a definition needs; keeps a wrong file from filling the memory

# Outside of strings. A panel has a comma for each member; an assistant a table of six keys for each work.
_MOST = {"[": 2_100, "{": 100, "=": 6_200, ",": 20_000}


def read_text(path: Path) -> str:
    """The text of a definition's file.

    UsageError when it is no UTF-8 or far too big, PluriverseError when it is no file or cannot be read.
    """
    try:
        data = files.read(path, MAX_BYTES)
    except OSError as error:
        hint = "take it away, or let it be a text file" if error.errno != errno.EACCES else "check who may read it"
        raise PluriverseError(f"{path} cannot be read: {error.strerror}", hint) from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES // 1024} KiB", "a definition is a short text file")
    try:
        return data.decode("utf-8-sig")  # some editors put a mark in front
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file `where`; `path` is "" for the top of the file, "outlook" for `[outlook]`."""

    values: dict[str, object]
    where: str
    path: str = ""

    @classmethod
    def parse(cls, text: str, where: str) -> "Table":
        """The top of the file. UsageError, with line and column, when it is not TOML, or more than a definition needs:
        what would take tomllib long is refused before it."""
        try:
            return cls(toml.parse(text, _MOST), where)
        except toml.TooMuch as error:
            raise UsageError(f"{where} is not valid: {error}", "no definition needs that") from error
        except ValueError as error:
            why = shortened(str(error))
            raise UsageError(f"{where} is not valid TOML: {why}", "how it is written: https://toml.io") from error

    def only(self, *known: str) -> None:
        """UsageError for the first key that is not `known`."""
        for key in self.values:
            if key not in known:
                close = near(key, known)
                meant = f"; did you mean {close}?" if close else ""
                place = f"in [{self.path}] " if self.path else ""
                raise UsageError(
                    f"{self.where}: the key {shortened(key)!r} {place}is not known{meant}",
                    f"known are: {', '.join(known)}",
                )

    def table(self, key: str) -> "Table":
        """The table `[key]`; an empty one when it is absent."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a table", f"[{key}]")
        return Table(value, self.where, f"{self.path}.{key}" if self.path else key)

    def tables(self, key: str, most: int) -> list["Table"]:
        """The tables `[[key]]`, at most so many; none when they are absent."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, "tables of their own", f"[[{key}]]")
        if len(value) > most:
            raise UsageError(f"{self.where}: it has {len(value):,} tables [[{key}]]", f"{most:,} are the most")
        return [Table(each, self.where, f"{key}[{number}]") for number, each in enumerate(value, 1)]

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "a text in quotation marks", f'{key} = "..."')
        return value

    def number(self, key: str, default: float) -> float:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "a number", f"{key} = {default:g}")
        try:
            return float(value)
        except OverflowError:
            raise self.wrong(key, "a number that is not so large", f"{key} = {default:g}") from None

    def texts(self, key: str, example: Sequence[str]) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "a list of texts", f"{key} = [{', '.join(repr(each) for each in example)}]")
        return tuple(value)

    def wrong(self, key: str, kind: str, example: str) -> UsageError:
        """What to say where `key` holds another kind of value than `kind`."""
        full = f"{self.path}.{key}" if self.path else key
        return UsageError(f"{self.where}: {full} must be {kind}", f"write it like this: {example}")


def located(error: UsageError, where: str) -> UsageError:
    """The same error, told with the file it is in."""
    return UsageError(f"{where}: {error.message}", error.hint)
