"""A file at an http(s) address, resumed by range.

Proxies and further certificates come from the environment, as httpx2 reads it (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ...errors import UnreachableError
from .stream import ByteStream

if TYPE_CHECKING:
    import httpx2

RETRIES = 2  # after a connection broke in the middle
_WAIT_S = 0.5


@asynccontextmanager
async def open_url(
    url: str, offset: int, etag: str | None, headers: Mapping[str, str] | None = None
) -> AsyncIterator[ByteStream]:
    """Raises UnreachableError in words for anything the network or the server can answer but the bytes.

    Credentials in `headers` stay with this host: the client drops them when it is redirected to another.
    """
    import httpx2

    timeout = httpx2.Timeout(60.0, connect=10.0)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx2.AsyncClient(follow_redirects=True, timeout=timeout))
        try:
            answer = await _get(client, stack, url, offset, etag, headers or {})
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise UnreachableError(f"{url}: {_words(error)}") from error
        start = offset if answer.status_code == 206 else 0
        yield ByteStream(
            _chunks(client, stack, answer, url, start, headers or {}),
            start=start,
            size=_size(answer, start),
            etag=answer.headers.get("etag"),
        )


async def _get(
    client: "httpx2.AsyncClient",
    stack: AsyncExitStack,
    url: str,
    offset: int,
    etag: str | None,
    headers: Mapping[str, str],
) -> "httpx2.Response":
    asked = {**headers, "accept-encoding": "identity"}
    if offset:
        asked["range"] = f"bytes={offset}-"
        if etag:
            asked["if-range"] = etag
    answer = await stack.enter_async_context(client.stream("GET", url, headers=asked))
    if answer.status_code == 416:  # the part here is longer than the whole there: begin again
        return await _get(client, stack, url, 0, None, headers)
    if answer.status_code not in (200, 206):
        raise UnreachableError(f"{url}: the server answers {answer.status_code} {answer.reason_phrase}")
    return answer


async def _chunks(
    client: "httpx2.AsyncClient",
    stack: AsyncExitStack,
    answer: "httpx2.Response",
    url: str,
    start: int,
    headers: Mapping[str, str],
) -> AsyncIterator[bytes]:
    import httpx2

    size, at, tries = _size(answer, start), start, 0
    while True:
        try:
            async for chunk in answer.aiter_bytes():  # as it comes: what is buffered is lost when a connection breaks
                at += len(chunk)
                tries = 0
                yield chunk
            if size is None or at >= size:
                return
            broken: Exception = ConnectionError("the connection ended early")
        except httpx2.TransportError as error:
            broken = error
        tries += 1
        if tries > RETRIES:
            raise UnreachableError(f"{url}: {_words(broken)} after {at:,} bytes", "pull again: it goes on from there")
        await asyncio.sleep(_WAIT_S * tries)
        try:
            answer = await _get(client, stack, url, at, answer.headers.get("etag"), headers)
        except (httpx2.HTTPError, OSError) as error:
            raise UnreachableError(f"{url}: {_words(error)}", "pull again: it goes on from there") from error
        if at and answer.status_code != 206:
            raise UnreachableError(f"{url}: broke after {at:,} bytes, and the server cannot go on from there")


def _size(answer: "httpx2.Response", start: int) -> int | None:
    length = answer.headers.get("content-length", "")
    return start + int(length) if length.isdecimal() else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
