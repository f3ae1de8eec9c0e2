"""Archives of one document, EPUB and DOCX, read member by member into memory, never onto the disk, and never too much.

Knows zip and XML without entities. Names that lead out of an archive lead nowhere.
"""

import posixpath
import zipfile
import zlib
from pathlib import Path
from typing import Any

from .parts import Unreadable

MOST_UNPACKED = 256 * 2**20  # bytes of all members that are read
_MOST_MEMBERS = 20_000


class Archive:
    """An archive that is open for reading. Unreadable: broken, encrypted, or it unpacks to far too much."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
            raise Unreadable("broken", "is broken: its list of contents cannot be read", "get it anew") from None
        self._members = {each.filename: each for each in self._zip.infolist()[:_MOST_MEMBERS]}
        self._left = MOST_UNPACKED

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """A member's bytes; KeyError where there is none of that name."""
        member = self._members[name]
        if member.flag_bits & 1:
            raise Unreadable("encrypted", "is encrypted", "save it without a password")
        try:
            with self._zip.open(member) as file:
                data = file.read(self._left + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
            raise Unreadable("broken", f"is broken: {name} in it cannot be unpacked", "get it anew") from None
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable("bomb", f"unpacks to more than {MOST_UNPACKED // 2**20} MB")
        return data

    def xml(self, name: str) -> Any:
        """The root of a member that is XML."""
        from lxml import etree

        parser = etree.XMLParser(
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            return etree.fromstring(self.read(name), parser)
        except etree.XMLSyntaxError:
            raise Unreadable("broken", f"is broken: {name} in it cannot be read", "get it anew") from None


def beside(name: str, reference: str) -> str:
    """The member that a reference in another one means: without "..", which leads out of no archive."""
    from urllib.parse import unquote

    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(reference.partition("#")[0])))
    return path.lstrip("/")


def local(tag: object) -> str:
    """The name of an element without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
