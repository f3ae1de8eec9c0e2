"""What a kind of source can do. A subclass without state stands behind each entry point of the group
`pluriverse.sources`; the entry point's name is the word before the colon by which a reference names the kind.

Knows the shape of a source, and no kind of it.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Generic, TypeVar

from ...settings import Settings
from ...values import Pullable, Source
from .stream import ByteStream, Earlier

Some = TypeVar("Some", bound=Source)


class SourceKind(ABC, Generic[Some]):
    """`here`: its sources lie on this machine, so that they are read without a network too."""

    here = False

    def parse(self, ref: str) -> Pullable | None:
        """What a reference of this kind stands for; None where references cannot name it. UsageError: misspelt."""
        return None

    def candidates(self, source: Some, settings: Settings) -> tuple[Source, ...]:
        """The source, and those that hold the same file, in order."""
        return (source,)

    def parts(self, source: Some) -> tuple[Source, ...]:
        """The files of a split model, in order, where the source's name says that it is one of them."""
        return (source,)

    async def prepare(self, source: Some, scratch: Path) -> AsyncGenerator[int, None]:
        """What must be done before `open`; yields bytes fetched so far. `scratch`: a folder of the source's own."""
        for nothing in range(0):
            yield nothing

    def room(self, source: Some, scratch: Path, size: int) -> int:
        """Bytes of disk that `prepare` and `open` take on top of the file's own `size`."""
        return 0

    @abstractmethod
    def open(self, source: Some, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        """A stream of the source's bytes, from where `earlier` ends or before that, as the source can; the stream says
        where. UnreachableError: not now, or not there. StartOver: `earlier` is of other bytes than the source has.
        InParts: what it stands for is split, as only a listing could tell.
        A source that puts pieces aside gives `Coming` between its bytes."""
