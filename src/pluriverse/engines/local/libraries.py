"""Native libraries that were built on this machine, and which library engines use.

    engine/choice.json          {"use": "native" | "wheel"}
    engine/libraries/KEY/       the shared libraries and build.json; made whole elsewhere, then renamed into place

KEY follows from the source's digest, the compiler, its flags and the processor's features. Knows files; loads nothing.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import NotFoundError, UsageError
from ...files import make_folder, read_json, write
from .processor import Processor, this_processor

NAMES = {"Linux": "libllama.so", "Darwin": "libllama.dylib", "Windows": "llama.dll"}


@dataclass(frozen=True, slots=True)
class NativeLibrary:
    """What build.json says. `speeds`: tokens per second, by library and measure; `proof`: what was checked; `added`:
    digest of what was put into the source, empty for libraries made before anything was."""

    key: str
    library: str  # file name of libllama in the folder
    source: str
    source_sha256: str
    compiler: str
    flags: tuple[str, ...]
    processor: str
    processor_key: str
    features: tuple[str, ...]
    seconds: float
    built: str  # ISO date
    proof: dict[str, Any] = field(default_factory=dict)
    speeds: dict[str, Any] = field(default_factory=dict)
    added: str = ""
    path: Path | None = None

    def fits(self, processor: Processor) -> bool:
        """Whether its code was made for such a processor."""
        return self.processor_key == processor.key


class Kept:
    """The folder `engine` of the data folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "engine"
        self.libraries = self.folder / "libraries"

    def all(self) -> list[NativeLibrary]:
        """The newest first; folders that cannot be understood are left out."""
        found = [library for path in sorted(self.libraries.glob("*/build.json")) if (library := _read(path))]
        return sorted(found, key=lambda library: library.built, reverse=True)

    def fitting(self) -> NativeLibrary | None:
        """The newest library made for this processor."""
        processor = this_processor()
        return next((library for library in self.all() if library.fits(processor)), None)

    @property
    def choice(self) -> str:
        """`wheel` or `native`; the wheel where nobody chose."""
        try:
            chosen = read_json(self.folder / "choice.json")["use"]
        except (OSError, ValueError, KeyError, TypeError):
            return "wheel"
        return "native" if chosen == "native" else "wheel"

    def used(self) -> NativeLibrary | None:
        """The native library that engines load, None where they load the wheel's. Never one of another processor."""
        return self.fitting() if self.choice == "native" else None

    def use(self, choice: str) -> None:
        """Engines that start from now on take this one. NotFoundError where there is no fitting native library."""
        if choice not in {"wheel", "native"}:
            raise UsageError(f"there is no library {choice!r}", "use wheel or native")
        if choice == "native" and self.fitting() is None:
            other = " (those here were made for another processor)" if self.all() else ""
            raise NotFoundError(f"no native library is here for this processor{other}", "pluriverse engine build")
        write(self.folder / "choice.json", json.dumps({"use": choice}))

    def add(self, folder: Path, library: NativeLibrary) -> NativeLibrary:
        """Put a folder of shared libraries in place, whole; an older one of that key goes."""
        write(folder / "build.json", json.dumps(_document(library), indent=1))
        place = self.libraries / library.key
        make_folder(self.folder)
        make_folder(self.libraries)
        if place.exists():
            aside = self.libraries / f".old-{library.key}"
            shutil.rmtree(aside, ignore_errors=True)
            place.rename(aside)  # an engine that has it loaded keeps it
            shutil.rmtree(aside, ignore_errors=True)
        folder.rename(place)
        kept = _read(place / "build.json")
        assert kept
        return kept

    def describe(self, library: NativeLibrary) -> NativeLibrary:
        """Write anew what is known of one that is in place, such as what it gains."""
        write(self.libraries / library.key / "build.json", json.dumps(_document(library), indent=1))
        return library

    def remove(self) -> int:
        """Drop every native library and what was kept for building; bytes freed. Engines take the wheel again."""
        folders = [self.libraries, self.folder / "work"]
        freed = sum(file.stat().st_size for each in folders for file in each.rglob("*") if file.is_file())
        self.use("wheel")
        for each in folders:
            shutil.rmtree(each, ignore_errors=True)
        return freed


def _read(path: Path) -> NativeLibrary | None:
    try:
        document = read_json(path)
        for name in ("flags", "features"):
            document[name] = tuple(document[name])
        library = NativeLibrary(**document, path=path.parent / document["library"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return library if library.path and library.path.is_file() else None


def _document(library: NativeLibrary) -> dict[str, Any]:
    document = asdict(library)
    del document["path"]
    return document
