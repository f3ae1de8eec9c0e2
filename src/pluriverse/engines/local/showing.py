"""The asking side of pictures: they are decoded, each once, before their requests go to the engine's process.

Knows requests and pixels. Does not know models or tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import PluriverseError
from ...values import Picture
from ..contract import Request, no_pictures, pictures_of
from .pixels import Pixels, pixels_of
from .wire import Document


@dataclass(frozen=True, slots=True)
class Shown:
    """`facts` and `data`: the pictures that go with the requests; `failed`: by place, requests that cannot go."""

    facts: list[Document] = field(default_factory=list)
    data: bytes = b""
    failed: dict[int, PluriverseError] = field(default_factory=dict)


def nothing_shown(requests: Sequence[Request], base: str) -> Shown:
    """For a base that sees no pictures."""
    return Shown(failed={place: no_pictures(base) for place, each in enumerate(requests) if pictures_of(each)})


async def decoded(requests: Sequence[Request]) -> Shown:
    """The pixels of all pictures in these requests. One that cannot be decoded fails those that show it."""
    wanted = [pictures_of(each) for each in requests]
    pictures = list(dict.fromkeys(picture for several in wanted for picture in several))
    found: dict[Picture, Pixels] = {}
    wrong: dict[Picture, PluriverseError] = {}
    for picture in pictures:  # one after the other: each may take a lot of memory while it is decoded
        try:
            found[picture] = await pixels_of(picture)
        except PluriverseError as error:
            wrong[picture] = error
    failed = {
        place: next(wrong[picture] for picture in several if picture in wrong)
        for place, several in enumerate(wanted)
        if any(picture in wrong for picture in several)
    }
    facts = [{"digest": p.digest, "width": px.width, "height": px.height} for p, px in found.items()]
    return Shown(facts, b"".join(px.data for px in found.values()), failed)
