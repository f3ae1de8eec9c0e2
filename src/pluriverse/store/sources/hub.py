"""A file in a Hugging Face hub repository, by way of huggingface_hub: its addresses, tokens, cache and metadata.

HF_ENDPOINT, HF_TOKEN and HF_HOME are read by that library itself.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from ...errors import PluriverseError, UnreachableError
from ...settings import Settings
from ...values import Digest, HubSource, PathSource, Pullable, Source, UrlSource, names_of_parts
from . import http, local
from .connecting import cannot_connect
from .kind import SourceKind
from .stream import ByteStream, Earlier, InParts

_TIMEOUT_S = 10
_LONGEST = 16 * 1024**2  # bytes of a listing, unpacked
_SHOWN = 12  # names of files in a message
PROJECTOR = "mmproj"  # as names of files have it
_PART = re.compile(r"-\d{5}-of-\d{5}(?=\.gguf$|$)", re.IGNORECASE)  # of a file that is split
_INSIDE = re.compile(r"(?:^|[-._])[it]?q\d+[-._](?:k[-._])?$")  # what follows is the rest of a format's name
_TAILS = "xxs|xs|s|m|l|xl|xxl|nl|k|\\d"
_VARIANT = re.compile(r"(?:^|[-._])(?:ud|i1)[-._]$")  # makers' own mixtures


class Hub(SourceKind[HubSource]):
    def parse(self, ref: str) -> Pullable:
        source = HubSource.parsed(ref)
        listed = source.file.startswith(":")
        file = f"{source.repository.split('/')[1]}-{source.file[1:]}" if listed else source.file
        return Pullable.of_file(ref, file, self.parts(source)[0])

    def parts(self, source: HubSource) -> tuple[HubSource, ...]:
        return tuple(replace(source, file=name) for name in names_of_parts(source.file))

    def candidates(self, source: HubSource, settings: Settings) -> tuple[Source, ...]:
        """The same file at each mirror follows. A file that only the hub's listing knows has no address there."""
        if source.file.startswith(":"):
            return (source,)
        path = f"{source.repository}/resolve/{source.revision}/{source.file}"
        return (source, *(UrlSource(f"{mirror}/{path}") for mirror in settings.mirrors))

    def open(self, source: HubSource, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        return open_hub(source, earlier)


@asynccontextmanager
async def open_hub(source: HubSource, earlier: Earlier) -> AsyncIterator[ByteStream]:
    """From the hub's cache on this machine if it is there, else over the network.

    A file given as ":Q4_K_M" is looked up in the repository's listing. UnreachableError in words; InParts.
    """
    if source.file.startswith(":"):
        files = await asyncio.to_thread(_by_quantization, source)
        named = tuple(HubSource(source.repository, file, source.revision) for file in files)
        if len(named) > 1:
            raise InParts(named)
        source = named[0]
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


def _by_quantization(source: HubSource) -> tuple[str, ...]:
    """The file that "hf:OWNER/REPO:Q4_K_M" means, or the files that it is split into, in order; of
    "hf:OWNER/REPO:mmproj" the projector that lies beside it.

    UnreachableError where there is none, or several, or a part is missing.
    """
    wanted, files = source.file[1:], _files(source)
    if wanted == PROJECTOR:
        return (_projector(source, files),)
    weights = [file for file in files if not local.no_model(file)]
    fitting = _fitting(weights, wanted)
    parts = names_of_parts(fitting[0]) if fitting else ()
    if fitting and sorted(fitting) == sorted(parts):
        return parts
    ref = f"hf:{source.repository}/{{}}" + (f"@{source.revision}" if source.revision != "main" else "")
    if fitting and len({_PART.sub("", file) for file in fitting}) == 1:
        whole = [file for file in weights if not _PART.search(file)]
        raise UnreachableError(
            f"{source.repository} has {wanted} split into {len(parts)} files, and only {len(fitting)} of them",
            f"take one that is whole: pluriverse pull {ref.format(whole[0])}" if whole else None,
        )
    shown = ", ".join((fitting or weights)[:_SHOWN]) or "none at all"
    more = f" and {len(fitting or weights) - _SHOWN} more" if len(fitting or weights) > _SHOWN else ""
    raise UnreachableError(
        f"{source.repository} has {len(fitting) or 'no'} files of {wanted}; files of weights there: {shown}{more}",
        f"name the file: pluriverse pull {ref.format((fitting or weights)[0])}" if weights else None,
    )


def _projector(source: HubSource, files: list[str]) -> str:
    """The file of a projector; of several the one that is exact enough and no larger than it must be."""
    found = [file for file in files if PROJECTOR in Path(file).name.lower()]
    for form in ("f16", "bf16", "q8_0", ""):
        of_it = [
            file for file in found if re.search(rf"(?:^|[-._]){form}(?:$|[-._])", Path(file).name.lower()) or not form
        ]
        if of_it:
            return of_it[0]
    raise UnreachableError(
        f"{source.repository} holds no projector", "look where the model's maker publishes it: --projector MMPROJ.gguf"
    )


def _files(source: HubSource) -> list[str]:
    """GGUF files of the repository."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # Not list_repo_files: without a network it retries for half a minute and writes to the terminal.
    revision = quote(source.revision, safe="")
    url = f"{constants.ENDPOINT}/api/models/{source.repository}/tree/{revision}?recursive=true&expand=false"
    headers, listing = build_hf_headers(library_name="pluriverse"), bytearray()
    try:
        with httpx2.stream("GET", url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                listing += chunk
                if len(listing) > _LONGEST:
                    raise ValueError(f"the list of files is longer than {_LONGEST:,} bytes")
        files = [str(entry["path"]) for entry in json.loads(listing) if entry["type"] == "file"]
    except Exception as error:  # what the client, the environment, the server and its list can hold
        raise cannot_connect("the hub", error) from error
    return [file for file in files if file.lower().endswith(".gguf")]


def _fitting(files: list[str], wanted: str) -> list[str]:
    """Files whose name says that they are in the format `wanted`: at its end, else in it, else by their folder.

    Q4_K_M does not stand for UD-Q4_K_M or i1-Q4_K_M where there is one of just that name, nor Q4_K for Q4_K_M.
    """
    characters = "[-._]?".join(re.escape(each) for each in wanted.lower() if each.isalnum())
    format = re.compile(rf"(?:^|[-._])({characters})(?=$|[-.])(?![-.](?:{_TAILS})(?:$|[-._]))")
    found: dict[int, list[str]] = {}
    for file in files:
        stem = _PART.sub("", file.removesuffix(file[-5:])).lower()
        *folders, name = stem.split("/")
        for match in format.finditer(name):
            if _INSIDE.search(name[: match.start(1)]):
                continue  # the "K_M" of Q4_K_M
            variant = bool(_VARIANT.search(name[: match.start(1)]))
            found.setdefault(2 * (match.end() != len(name)) + variant, []).append(file)
            break
        else:
            if any(format.fullmatch(folder) for folder in folders):
                found.setdefault(4, []).append(file)
    return found[min(found)] if found else []
