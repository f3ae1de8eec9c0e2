"""A file at an http(s) address, resumed by range.

Proxies and further certificates come from the environment, as httpx2 reads it (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
What a server answers is compared with what it said before: a piece is only put behind what is here if it begins there
and belongs to the same file.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ...errors import UnreachableError, UsageError
from ...values import Digest, Pullable, UrlSource, names_of_parts
from .connecting import CANNOT, cannot_connect, words
from .kind import SourceKind
from .stream import ByteStream, Earlier, StartOver

if TYPE_CHECKING:
    import httpx2

RETRIES = 2  # after a connection broke in the middle
_WAIT_S = 0.5
_HEADWAY = 64 * 1024  # bytes after which a broken connection counts as the first one again
_AGAIN = "pull again: it goes on from there"
_PIECE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_PLAIN = {"", "identity", "none", "binary", "aws-chunked"}  # content codings that leave the bytes as they are


class Web(SourceKind[UrlSource]):
    def parse(self, ref: str) -> Pullable | None:
        """An address; `#sha256=...` after it is the digest that its file must have."""
        url, _, fragment = ref.partition("#")
        digest = None
        if not url.startswith(("http://", "https://")):
            return None
        if fragment:
            kind, _, value = fragment.partition("=")
            if kind != "sha256":
                raise UsageError(f"{fragment!r} after the address is not understood", "write #sha256=<64 hex digits>")
            digest = Digest(f"sha256:{value}")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:  # a bracket without its other, a port beyond 65535
            raise UsageError(f"{ref!r} is no address: {error}", "write http(s)://HOST/FILE.gguf") from None
        if not parts.hostname:
            raise UsageError(f"{ref!r} names no host")
        source = UrlSource(url)
        if digest and len(self.parts(source)) > 1:
            raise UsageError(f"{ref!r} is one part of a split model, which has no digest of its own", "leave it out")
        return Pullable.of_file(ref, unquote(parts.path), self.parts(source)[0], digest)

    def parts(self, source: UrlSource) -> tuple[UrlSource, ...]:
        return tuple(map(UrlSource, names_of_parts(source.url)))

    def open(self, source: UrlSource, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        return open_url(source.url, earlier)


@asynccontextmanager
async def open_url(url: str, earlier: Earlier, headers: Mapping[str, str] | None = None) -> AsyncIterator[ByteStream]:
    """Raises UnreachableError in words for anything the network or the server can answer but the bytes.

    StartOver where the server has other bytes now than those that are here. Credentials in `headers` stay with this
    host: the client drops them when it is redirected to another.
    """
    import httpx2

    timeout = httpx2.Timeout(60.0, connect=10.0)
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(httpx2.AsyncClient(follow_redirects=True, timeout=timeout))
        except Exception as error:  # only what the environment says of proxies and certificates can be wrong here
            raise cannot_connect(url, error) from error
        download = _Download(client, url, headers or {}, earlier)
        stack.push_async_callback(download.close)
        try:
            start = await download.open(earlier.bytes)
        except (httpx2.HTTPError, httpx2.InvalidURL, *CANNOT) as error:
            raise cannot_connect(url, error) from error
        yield ByteStream(download.chunks(start), start=start, size=download.total, validator=download.validator)


async def read_url(url: str, most: int) -> bytes:
    """A whole file of at most `most` bytes, into memory; what is longer is cut behind that, which its digest shows.

    UnreachableError as `open_url`, also where a connection that broke cannot be gone on with.
    """
    content = bytearray()
    try:
        async with open_url(url, Earlier(checked=True)) as stream:
            async for chunk in stream.chunks:
                content += chunk if isinstance(chunk, bytes) else b""
                if len(content) > most:
                    break
    except StartOver as error:
        raise UnreachableError(str(error)) from error
    return bytes(content)


class _Download:
    """One file, over as many connections as it takes. `total` and `validator`: what is known of it so far."""

    def __init__(self, client: "httpx2.AsyncClient", url: str, headers: Mapping[str, str], earlier: Earlier) -> None:
        self.total, self.validator = earlier.total, earlier.validator
        self._client, self._url, self._checked = client, url, earlier.checked
        self._headers = {**headers, "accept-encoding": "identity"}
        self._response: httpx2.Response | None = None
        self._end: int | None = None  # where the present answer ends, in the whole

    async def open(self, at: int) -> int:
        """Ask for the bytes from `at`; where the answer begins, which is there or at 0."""
        asked = dict(self._headers)
        if at:
            asked["range"] = f"bytes={at}-"
            if self.validator:
                asked["if-range"] = self.validator
        await self.close()
        response = await self._client.send(self._client.build_request("GET", self._url, headers=asked), stream=True)
        self._response = response
        if response.status_code == 416 and at:
            if self._checked and at == (_total(response) or self.total):  # it is all here
                await self.close()
                return at
            raise StartOver("the file there is shorter than what is here of it")
        if response.status_code not in (200, 206):
            hint = _AGAIN if at else None
            raise UnreachableError(
                f"{self._url}: the server answers {response.status_code} {response.reason_phrase}", hint
            )
        coding = response.headers.get("content-encoding", "").strip().lower()
        if coding not in _PLAIN:  # not unpacked: a few bytes of it may stand for more than the disk holds
            raise UnreachableError(f"{self._url}: the server sends the file packed ({coding}), which was not asked for")
        if response.status_code == 206:
            self._end = None
            self._accept_piece(response, at)
            return at
        self.total = self._end = _length(response)
        self.validator = _validator(response)
        return 0

    async def chunks(self, start: int) -> AsyncIterator[bytes]:
        """What comes, as it comes: what is buffered is lost when a connection breaks."""
        import httpx2

        at, broke_at, tries = start, start, 0
        while self._response is not None:
            broken: Exception = ConnectionError("the connection ended early")
            try:
                async for chunk in self._response.aiter_raw():
                    at += len(chunk)
                    if self._end is not None and at > self._end:
                        raise StartOver("the server sends more bytes than it said")
                    yield chunk
                if self.total is None or at >= self.total:
                    return
            except httpx2.TransportError as error:
                broken = error
            if at - broke_at >= _HEADWAY:
                tries = -1 if at == self._end else 0  # a server may give a file in pieces: no break then
            broke_at, tries = at, tries + 1
            await self._go_on(at, tries, broken)

    async def _go_on(self, at: int, tries: int, broken: Exception) -> None:
        """A new connection, from `at`."""
        import httpx2

        if at and not (self.validator or self._checked):
            raise StartOver(f"the connection broke after {at:,} bytes, and nothing says what they belong to")
        while tries <= RETRIES:
            await asyncio.sleep(_WAIT_S * tries)
            try:
                start = await self.open(at)
            except (httpx2.HTTPError, httpx2.InvalidURL, *CANNOT) as error:
                broken, tries = error, tries + 1
                continue
            if start != at:
                raise StartOver(f"the connection broke after {at:,} bytes, and the server begins at the start again")
            return
        raise UnreachableError(f"{self._url}: {words(broken)} after {at:,} bytes", _AGAIN) from broken

    def _accept_piece(self, response: "httpx2.Response", at: int) -> None:
        """Take a 206 for what it is: bytes of one file, from a place in it."""
        told = response.headers.get("content-range", "").strip()
        piece = _PIECE.fullmatch(told)
        if at and not told and self._checked:  # the digest will tell whether it was the right piece
            return
        if piece is None or int(piece[1]) != at:
            if not at:
                raise UnreachableError(f"{self._url}: the server sends a piece of the file that was not asked for")
            raise StartOver("the server sends another piece of the file than was asked for")
        total, validator = _total(response), _validator(response)
        if at:
            if None not in (total, self.total) and total != self.total:
                raise StartOver("the file there has another size than before")
            # With no digest to check the whole against, a server has to say what the piece is of.
            if validator != self.validator and ((validator and self.validator) or not self._checked):
                raise StartOver("the file there has changed")
        self.total, self.validator, self._end = total or self.total, validator or self.validator, int(piece[2]) + 1

    async def close(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()


def _total(response: "httpx2.Response") -> int | None:
    """The size of the whole in a Content-Range, also in that of a 416."""
    total = response.headers.get("content-range", "").rpartition("/")[2].strip()
    return int(total) if total.isdecimal() and len(total) < 19 else None


def _length(response: "httpx2.Response") -> int | None:
    length = response.headers.get("content-length", "").strip()
    return int(length) if length.isdecimal() and len(length) < 19 else None


def _validator(response: "httpx2.Response") -> str | None:
    """What changes whenever the bytes do: a strong ETag, or a Last-Modified at least a second older than the answer.

    RFC 9110, 13.1.5 and 8.8.2.2: weaker ones may stay while the bytes change.
    """
    etag: str = response.headers.get("etag", "").strip()
    if len(etag) > 1 and etag[0] == etag[-1] == '"':
        return etag
    changed: str = response.headers.get("last-modified", "")
    try:
        age = parsedate_to_datetime(response.headers.get("date", "")) - parsedate_to_datetime(changed)
    except (ValueError, TypeError, OverflowError):
        return None
    return changed if age.total_seconds() >= 1 else None
