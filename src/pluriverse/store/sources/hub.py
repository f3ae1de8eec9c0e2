"""A file in a Hugging Face hub repository, by way of huggingface_hub: its addresses, tokens, cache and metadata.

HF_ENDPOINT, HF_TOKEN and HF_HOME are read by that library itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ...errors import PluriverseError, UnreachableError
from ...values import Digest, HubSource, PathSource
from . import http, local
from .connecting import cannot_connect
from .stream import ByteStream, Earlier

_TIMEOUT_S = 10


@asynccontextmanager
async def open_hub(source: HubSource, earlier: Earlier) -> AsyncIterator[ByteStream]:
    """From the hub's cache on this machine if it is there, else over the network.

    A file given as ":Q4_K_M" is looked up in the repository's listing. UnreachableError in words.
    """
    if source.file.startswith(":"):
        file = await asyncio.to_thread(_by_quantization, source)
        source = HubSource(source.repository, file, source.revision)
    if cached := await asyncio.to_thread(_cached, source):
        async with local.open_path(PathSource(cached), earlier.bytes) as stream:
            yield stream
        return
    url, headers, digest, size = await asyncio.to_thread(_metadata, source)
    async with http.open_url(url, earlier, headers) as stream:
        yield ByteStream(
            stream.chunks, stream.start, size or stream.size, digest, stream.validator, name=Path(source.file).stem
        )


def _metadata(source: HubSource) -> tuple[str, dict[str, str], Digest | None, int | None]:
    """Address, headers, and what the hub says of digest and size (large files are filed under their sha256)."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    url = hf_hub_url(source.repository, source.file, revision=source.revision)
    headers = build_hf_headers(library_name="pluriverse")
    try:
        found = get_hf_file_metadata(url, timeout=_TIMEOUT_S, headers=headers)
    except Exception as error:  # the library raises its own, its client's and the system's errors here
        raise cannot_connect("the hub", error) from error
    try:
        digest = Digest(f"sha256:{found.etag}")
    except PluriverseError:  # small files have a git digest
        digest = None
    return url, headers, digest, found.size


def _cached(source: HubSource) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source.repository, source.file, revision=source.revision)
    return Path(found).resolve() if isinstance(found, str) else None


def _by_quantization(source: HubSource) -> str:
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # Not list_repo_files: without a network it retries for half a minute and writes to the terminal.
    url = f"{constants.ENDPOINT}/api/models/{source.repository}/tree/{source.revision}?recursive=true&expand=false"
    wanted = source.file[1:].lower()
    try:
        answer = httpx2.get(url, headers=build_hf_headers(library_name="pluriverse"), timeout=_TIMEOUT_S)
        answer.raise_for_status()
        files = [str(entry["path"]) for entry in answer.json()]
    except (httpx2.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise UnreachableError(f"the hub: {_words(error)}") from error
    weights = [file for file in files if file.lower().endswith(".gguf")]
    fitting = [file for file in weights if wanted in Path(file).stem.lower().replace(".", "-").split("-")]
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(fitting or weights) or "none at all"
    raise UnreachableError(
        f"{source.repository} has {len(fitting) or 'no'} files of {source.file[1:]}; GGUF files there: {shown}",
        f"name the file: pluriverse pull hf:{source.repository}/FILE.gguf",
    )


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
