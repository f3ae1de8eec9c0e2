"""Files that lie in wheels, in pieces or as what they are made of, where any machine with pip can have them.

Only this package's own data name any.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ..values import Digest, EncoderSource, Piece, PiecesSource, Pullable, WheelSource


@dataclass(frozen=True, slots=True)
class Carrier:
    """`id`: of the catalogue's entry, where there is one; `size` in bytes and `digest` are the whole file's."""

    id: str
    holds: str
    licence: str
    size: int
    digest: Digest
    source: PiecesSource | EncoderSource

    def pullable(self) -> Pullable:
        return Pullable(self.id, self.id, (self.source,), self.digest, self.size, self.licence)


def carrier(id: str) -> Carrier | None:
    """Who carries it, if anybody."""
    return _all().get(id)


@cache
def _all() -> dict[str, Carrier]:
    document = tomllib.loads((files(__package__) / "carriers.toml").read_text("utf-8"))
    found = {}
    for given in document["carrier"]:
        source: PiecesSource | EncoderSource
        if "encoder" in given:
            source = EncoderSource(_piece(*given.pop("encoder")), given["holds"])
        else:
            source = PiecesSource(tuple(_piece(*each) for each in given.pop("pieces")))
        found[given["id"]] = Carrier(**{**given, "digest": Digest(given["digest"])}, source=source)
    return found


def _piece(requirement: str, member: str, size: int, sha256: str) -> Piece:
    distribution, _, version = requirement.partition("==")
    return Piece(WheelSource(distribution, version, member), size, Digest(f"sha256:{sha256}"))
