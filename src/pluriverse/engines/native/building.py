"""`engine build`: get the source and the tools, compile, prove, measure, keep. One generator, events out.

A kill or a full disk leaves what was whole; the next build goes on from there. Nothing is used before it has proved
itself, and nothing but the wheel is used when it does not, or where it gains nothing for the models that are here.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from ...errors import EngineError
from ...files import make_folder
from ..local.layouts import NATIVE
from ..local.libraries import NAMES, Kept, NativeLibrary
from ..local.processor import this_processor
from ..requantising import requantise
from . import additions, compiling, gains, obtaining, trial
from .compiling import Compiler
from .gains import Gain, Here, Speed

FORMATS = ("Q8_0", "Q4_0")  # of copies of `model`, by which `engine status` advises one
FINE = "BF16"  # whose kernels on AMX are ours (`additions`): proved and measured where the processor has it
NEEDED = 2 * 1024**3  # bytes of free disk while it is built
MOST_KL = 0.02  # nats per token by which the same file may differ between two libraries (docs/decisions/0006)
LEAST_SAME = 0.9  # share of tokens at which both find the same one likeliest
_SERVES = "the wheel's library goes on serving"


@dataclass(frozen=True, slots=True)
class BuildStep:
    """A step has begun. `about_s`: seconds it took elsewhere, on two cores."""

    text: str
    about_s: float


@dataclass(frozen=True, slots=True)
class BuildProgress:
    text: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Built:
    """`gains`: what it gains for the models that are here; `used`: whether engines take it from now on, which they do
    where that is more than nothing."""

    library: NativeLibrary
    gains: tuple[Gain, ...]
    used: bool
    already_here: bool = False


BuildEvent = BuildStep | BuildProgress | Built


def build(
    home: Path, model: Path, compiler: str = "auto", *, again: bool = False, here: Sequence[Here] = ()
) -> Iterator[BuildEvent]:
    """Make the native library for this processor, and let engines use it from now on where that gains anything.

    `model`: a GGUF file to prove it with; `here`: the models by which it is chosen (default: that one). `compiler`:
    zig, system, or auto, which keeps whichever's kernels are faster with them. One that is here already is only
    measured, with models that it was not measured with. Raises EngineError, UnreachableError or IntegrityError; then
    engines use what they used before.
    """
    models = gains.chosen(here) or [Here(model.stem, str(model), "as it is", model, 0)]
    kept = Kept(home)
    known = kept.fitting()
    if not again and known and known.added == additions.digest() and compiler in {"auto", known.compiler.split()[0]}:
        yield from _measured_again(kept, known, models)
        return
    work = kept.folder / "work"
    make_folder(kept.folder)
    make_folder(work)
    if shutil.disk_usage(work).free < NEEDED:
        raise EngineError("building needs about 2 GB of free disk for a while", f"free some where {home} is")
    try:
        with FileLock(kept.folder / "build.lock", timeout=0):
            yield from _Building(kept, work, model, compiler, models).steps()
    except Timeout:
        raise EngineError("another build is running", "wait until it has ended: pluriverse engine status") from None
    except OSError as error:
        raise EngineError(
            f"the build stopped: {error.strerror or error}", "go on with it: pluriverse engine build"
        ) from error


def _measured_again(kept: Kept, library: NativeLibrary, models: Sequence[Here]) -> Iterator[BuildEvent]:
    """What a library that is here gains for these models, and whether it is used."""
    found = {each.digest: each for each in gains.kept(library.speeds)}
    if new := [each for each in models if each.digest not in found]:
        speeds: dict[str, dict[str, Speed]] = {}
        yield _measuring(new, 2)
        for event in gains.timed(new, {"wheel": None, "native": library.path}):
            if isinstance(event, gains.Timed):
                yield BuildProgress("measuring what it gains", event.done, event.total)
            else:
                speeds = event
        found |= {each.digest: each for each in _gains(new, speeds["wheel"], speeds["native"])}
        documents = [each.as_dict() for each in found.values()]
        library = kept.describe(replace(library, speeds={**library.speeds, "here": documents}))
    now = tuple(found[each.digest] for each in models if each.digest in found)
    yield Built(library, now, _chosen(kept, now), already_here=True)


def _measuring(models: Sequence[Here], libraries: int) -> BuildStep:
    named = ", ".join(f"{each.name} ({each.format})" for each in models)
    return BuildStep(f"measuring what it gains for {named}", gains.about_s(models, libraries) or 5)


def _gains(models: Sequence[Here], wheel: dict[str, Speed], native: dict[str, Speed]) -> list[Gain]:
    return [
        Gain(each.name, each.digest, each.format, wheel[each.digest], native[each.digest])
        for each in models
        if each.digest in wheel and each.digest in native
    ]


def _chosen(kept: Kept, found: Sequence[Gain]) -> bool:
    """Whether engines use the library from now on."""
    times = gains.overall(found)
    used = times is None or times >= gains.LEAST_GAIN
    kept.use("native" if used else "wheel")
    return used


class _Building:
    def __init__(self, kept: Kept, work: Path, model: Path, compiler: str, models: Sequence[Here]) -> None:
        self._kept, self._work, self._model, self._wanted = kept, work, model, compiler
        self._models = models
        self._begun = time.monotonic()

    def steps(self) -> Iterator[BuildEvent]:
        yield BuildStep("fetching the source of llama.cpp, 77 MB, cmake, ninja and the Zig compiler", 10)
        with ThreadPoolExecutor() as both:
            source, tools = both.submit(obtaining.source, self._work), both.submit(obtaining.tools, self._work)
            self._source, self._tools = source.result(), tools.result()
        compilers = self._compilers()
        first, *others = compilers  # the first one compiles everything
        yield from self._compile(first, "mtmd")
        folders = {first: self._gathered(first)}
        for other in others:  # only the kernels anew: the rest of the library is hardly ever running
            try:
                yield from self._compile(other, "ggml-cpu")
                folders[other] = self._with_kernels(folders[first], other)
            except EngineError:
                continue  # one compiler is enough
        here: dict[str, dict[str, Speed]] = {}
        for event in self._timed(folders):
            if isinstance(event, dict):
                here = event
            else:
                yield event
        running = [each for each in folders if each.version in here]
        fastest = sorted(running, key=lambda each: -gains.worth_of_all(here[each.version]))
        yield BuildStep("proving it: structs, streams, grammar, logits against the wheel's", 35)
        files = self._formats()
        best, proof = self._first_proved(fastest, folders, files)
        yield BuildStep("measuring copies of a small model in other formats", 40)
        found = tuple(_gains(self._models, here["wheel"], here[best.version]))
        speeds = {"wheel": self._speeds(None, files), "native": self._speeds(folders[best], files)}
        library = self._described(best, proof, {**speeds, "here": [each.as_dict() for each in found]})
        added = self._kept.add(folders[best], library)
        used = _chosen(self._kept, found)
        shutil.rmtree(self._work, ignore_errors=True)
        yield Built(added, found, used)

    def _timed(self, folders: dict[Compiler, Path]) -> Iterator[BuildEvent | dict[str, dict[str, Speed]]]:
        """Speeds of the wheel's library and each compiler's, by its version. A compiler whose kernels crash is left
        out, unless there is no other."""
        yield _measuring(self._models, 1 + len(folders))
        paths = {each.version: folder / NAMES[compiling.system()] for each, folder in folders.items()}
        try:
            for event in gains.timed(self._models, {"wheel": None, **paths}):
                if isinstance(event, gains.Timed):
                    yield BuildProgress("measuring what it gains", event.done, event.total)
                else:
                    yield event
        except EngineError as error:
            raise EngineError(f"no compiler here makes kernels that run: {error.message}", _SERVES) from error

    def _compilers(self) -> list[Compiler]:
        found = compiling.compilers(self._work, self._tools)
        chosen = [each for each in found if self._wanted in {"auto", each.kind}]
        if not chosen:
            hint = "pluriverse engine build --compiler zig" if found else "install one: gcc or clang, with C++"
            raise EngineError(f"no {self._wanted} compiler is here" if found else "no compiler is here", hint)
        return chosen

    def _build_folder(self, compiler: Compiler) -> Path:
        return self._work / f"build-{self._key(compiler)}"

    def _compile(self, compiler: Compiler, target: str) -> Iterator[BuildEvent]:
        text = f"compiling with {compiler.version[:40]}"
        yield BuildStep(text, 150 if target == "mtmd" else 30)
        folder = self._build_folder(compiler)
        if not (folder / "build.ninja").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            compiling.configure(self._source, folder, compiler, self._tools, self._work)
        for done, total in compiling.compile(folder, target, self._tools, self._work):
            yield BuildProgress(text, done, total)

    def _gathered(self, compiler: Compiler) -> Path:
        folder = self._empty(compiler)
        compiling.gather(self._build_folder(compiler), folder)
        return folder

    def _with_kernels(self, whole: Path, compiler: Compiler) -> Path:
        """The library in `whole` with this compiler's kernels."""
        folder = self._empty(compiler)
        shutil.copytree(whole, folder)
        compiling.gather(self._build_folder(compiler), folder)
        return folder

    def _empty(self, compiler: Compiler) -> Path:
        folder = self._work / f"library-{self._key(compiler)}"
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _first_proved(
        self, compilers: Sequence[Compiler], folders: dict[Compiler, Path], files: dict[str, Path]
    ) -> tuple[Compiler, dict[str, Any]]:
        """The fastest library that holds what it must, and its proof; the error of the last one where none does."""
        for place, compiler in enumerate(compilers, start=1):
            try:
                return compiler, self._proofs(folders[compiler], files)
            except EngineError:
                if place == len(compilers):
                    raise
        raise EngineError("no library was built", _SERVES)

    def _proofs(self, folder: Path, files: dict[str, Path]) -> dict[str, Any]:
        """What was checked, of the model as it is and, where kernels for it are ours, in BF16."""
        proof = self._proof(folder, self._model)
        return {**proof, FINE: self._proof(folder, files[FINE])} if FINE in files else proof

    def _proof(self, folder: Path, model: Path) -> dict[str, Any]:
        """What was checked; EngineError when it does not hold."""
        rows = self._work / "wheel.npy", self._work / "native.npy"
        of_wheel = {"do": "prove", "model": str(model), "library": None, "rows": str(rows[0])}
        wheel = trial.run({**of_wheel, "check": False})
        ours = {"model": str(model), "library": str(folder / NAMES[compiling.system()])}
        native = trial.run({"do": "prove", **ours, "said": wheel["said"], "rows": str(rows[1])})
        theirs, mine = (np.load(path) for path in rows)
        kl = float((np.exp(theirs) * (theirs - mine)).sum(-1).mean())
        same = float((theirs.argmax(-1) == mine.argmax(-1)).mean())
        failed = [name for name, good in native["checks"].items() if not good]
        if failed:  # what the wheel's does not hold on this machine either is not asked of this one
            holds = trial.run(of_wheel)["checks"]
            failed = [name for name in failed if holds[name]]
        if kl > MOST_KL or same < LEAST_SAME:
            failed.append(f"logits like the wheel's (KL {kl:.3f} a token, same choice {same:.1%})")
        if failed:
            raise EngineError(f"the library built here failed its checks: {', '.join(failed)}", _SERVES)
        return {"checks": native["checks"], "tokens": len(mine), "kl_to_wheel": kl, "same_choice": same}

    def _formats(self) -> dict[str, Path]:
        """The model as it is, and in the formats that processors have kernels for."""
        files = {"as it is": self._model}
        for format in (*FORMATS, *([FINE] if "amx_bf16" in this_processor().features else [])):
            files[format] = self._work / f"{format}.gguf"
            for _ in requantise(self._model, files[format], format):
                pass
        return files

    def _speeds(self, folder: Path | None, files: dict[str, Path]) -> dict[str, Speed]:
        library = str(folder / NAMES[compiling.system()]) if folder else None
        how = {"do": "speed", "library": library, "quick": True, "times": 2}
        return {name: trial.run({**how, "model": str(path)}) for name, path in files.items()}

    def _key(self, compiler: Compiler) -> str:
        made_of = obtaining.SOURCE_SHA256, additions.digest(), compiler.kind, compiler.version, *compiling.FLAGS
        parts = (*made_of, this_processor().key)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def _described(self, compiler: Compiler, proof: dict[str, Any], speeds: dict[str, Any]) -> NativeLibrary:
        processor = this_processor()
        return NativeLibrary(
            key=self._key(compiler),
            library=NAMES[compiling.system()],
            source=NATIVE.name,
            source_sha256=obtaining.SOURCE_SHA256,
            added=additions.digest(),
            compiler=f"{compiler.kind} ({compiler.version})",
            flags=compiling.FLAGS,
            processor=processor.model,
            processor_key=processor.key,
            features=tuple(sorted(processor.features)),
            seconds=round(time.monotonic() - self._begun, 1),
            built=datetime.now(UTC).isoformat(timespec="seconds"),
            proof=proof,
            speeds=speeds,
        )
