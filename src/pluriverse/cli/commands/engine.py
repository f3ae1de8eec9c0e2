"""`pluriverse engine`: which library computes here, how fast it is, and how to make it faster."""

import argparse
from typing import TYPE_CHECKING

from ...errors import PluriverseError
from ..terminal.output import Output, dim
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import duration, roughly, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ...engines.native.building import Built
    from ...engines.native.gains import Here
    from ...engines.status import EngineStatus
    from ...settings import Settings

NAMES = ("auto", "zig", "system")


def add(commands: Commands) -> None:
    from ..terminal.parser import Commands as Verbs

    parser = commands.add(
        "engine", "how fast models run here, and how to make them faster", status,
        example="pluriverse engine build", group=GROUPS[2],
    )  # fmt: skip
    verbs = Verbs(parser, dest="verb")
    verbs.add(
        "status", "show the library, settings and speed, and what would be faster", status, example=f"{_P} status"
    )
    built = verbs.add("build", "compile the engine's library for this processor", build, example=f"{_P} build")
    built.add_argument(
        "--compiler", choices=NAMES, default="auto", help="auto (default): try what is here, keep the faster"
    )
    built.add_argument("--again", action="store_true", help="build again even if there is one")
    measured = verbs.add(
        "calibrate", "find the fastest settings (about a minute)", calibrate, example=f"{_P} calibrate"
    )
    measured.add_argument(
        "--base", metavar="REF", default="default", help="measure with this model (default: the default model)"
    )
    used = verbs.add("use", "choose the library: wheel or native", use, example=f"{_P} use wheel")
    used.add_argument("library", choices=("wheel", "native"), help="wheel: as installed; native: as built here")
    verbs.add("rm", "delete the library that was built here", remove, example=f"{_P} rm")


_P = "pluriverse engine"


def status(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...engines.status import status_of

    found = status_of(settings)
    out.document(found.as_dict())
    if not out.json:
        show(found, out)
    return 0


def show(found: "EngineStatus", out: Output) -> None:
    processor = found.processor
    out.line(f"library     {found.library}")
    unused = _families(found.unused)
    out.line(f"processor   {processor.model}, {processor.cores} cores" + (f"; unused: {unused}" if unused else ""))
    flash = "on" if found.flash_attention else "off"
    origin = f"measured {found.calibration.measured[:10]}" if found.calibration else "not measured here"
    settings = f"{found.threads} threads, flash attention {flash}, {found.chunk} tokens at once"
    out.line(f"settings    {settings}  ", dim(f"({origin})"))
    if found.calibration:
        speeds = (
            f"{found.calibration.prefill:.0f} tokens/s reading, {found.calibration.decode:.0f} speaking (eight voices)"
        )
        out.line(f"speed       {speeds}  ", dim(f"({found.calibration.model})"))
    for each in found.natives:
        mine = "" if each.fits(processor) else ", made for another processor: never loaded"
        out.line(f"built here  {each.source}, {each.compiler}, {each.built[:10]}{mine}")
    if found.speeds:
        out.line()
        _table(found.speeds, out)
    for words in found.advice:
        out.paragraph(f"- {words}")


def _table(speeds: "Mapping[str, Mapping[str, float]]", out: Output) -> None:
    """Tokens per second: a row per measure, a column per number of tokens read, or held before."""
    words = {"prefill": "reading a prompt of", "decode 8": "eight voices after", "decode 1": "one voice after"}
    rows = []
    for measure, cells in speeds.items():
        told = ", ".join(f"{held} tokens {speed:.0f}/s" for held, speed in cells.items())
        rows.append((words.get(measure, measure), told))
    out.table(("TOKENS PER SECOND", ""), rows)


def _families(features: "Iterable[str]") -> str:
    """Instruction sets as people name them: `AVX-512 (bf16 vnni)`."""
    families: dict[str, list[str]] = {}
    for name in features:
        family = "AVX-512" if name.startswith("avx512") else "AMX" if name.startswith("amx") else "AVX-VNNI"
        kind = name.removeprefix("avx512").removeprefix("amx").strip("_")
        if kind in {"vnni", "bf16", "fp16", "int8"}:  # those that speed up matrix products
            families.setdefault(family, []).append(kind)
        else:
            families.setdefault(family, [])
    return ", ".join(f"{name} ({' '.join(kinds)})" if kinds else name for name, kinds in families.items())


def build(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...engines.native.building import BuildProgress, BuildStep, Built
    from ...engines.native.building import build as building

    done: Built | None = None
    model, _ = _model("small", out, settings)  # copies of a large one would take minutes and its size many times
    for event in building(settings.home, model, args.compiler, again=args.again, here=_here(settings)):
        match event:
            case BuildStep(text=text, about_s=about):
                out.note(f"{text} (about {roughly(about)})")
            case BuildProgress(text=text, done=steps, total=total):
                out.progress.steps(text, steps, total)
            case Built(library=library, already_here=already):
                done = event
                again = "it is here already; --again builds it anew"
                out.note(again if already else f"built in {duration(library.seconds)}")
    if done is None:
        raise PluriverseError("the build ended without a result", "pluriverse engine build")
    library = done.library
    out.document({"key": library.key, "path": str(library.path), "compiler": library.compiler,
                  "seconds": library.seconds, "proof": library.proof, "speeds": library.speeds,
                  "gains": [each.as_dict() for each in done.gains], "used": done.used})  # fmt: skip
    if not out.json:
        _show_speeds(done, out)
    return 0


def _here(settings: "Settings") -> "list[Here]":
    """The models that can be measured with."""
    from ...engines.native.gains import Here
    from ...store import Store

    return [
        Here(each.name, str(each.digest), each.quantization or "unknown", each.path, each.bytes)
        for each in Store.at(settings).models()
        if each.kind == "model" and each.path.is_file()
    ]


def _show_speeds(done: "Built", out: Output) -> None:
    """Tokens per second with both libraries: models that are here, then copies of small; what it gains."""
    from ...engines.native.gains import overall

    wheel, native = done.library.speeds.get("wheel", {}), done.library.speeds.get("native", {})
    models = [(each.name, each.format, each.wheel, each.native) for each in done.gains]
    copies = [("a copy of small", name, wheel[name], native[name]) for name in native if name != "as it is"]
    rows = []
    for name, format, before, after in (*models, *copies):
        for measure, held, words in (("prefill", "512", "reading"), ("decode 8", "40", "eight voices")):
            a, b = before[measure][held], after[measure][held]
            rows.append((name, format, words, f"{a:.0f}", f"{b:.0f}", f"{b / a:.1f}"))
    out.table(("MODEL", "FORMAT", "TOKENS/S", "WHEEL", "NATIVE", "TIMES"), rows)
    proof = done.library.proof
    if proof:
        alike = f"{proof['same_choice']:.1%} of {proof['tokens']} choices like the wheel's"
        out.note(f"checked: {', '.join(proof['checks'])}; {alike}")
    times = overall(done.gains)
    told = f"{times:.2f} times as fast with the models that are here" if times else "not measured with any model here"
    if done.used:
        out.note(f"{told}: it is used from now on; to go back: {_P} use wheel")
    else:
        out.note(f"{told}: no gain, so the wheel's library stays in use; to use it anyway: {_P} use native")
    out.note(f"a faster format: pluriverse optimise default; what the library gains for it then: {_P} build")


def calibrate(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...engines.local.calibration import Calibrations
    from ...engines.local.libraries import Kept
    from ...engines.native.calibrating import calibrate as calibrating

    library = Kept(settings.home).used()
    found = None
    for event in calibrating(*_model(args.base, out, settings), library):
        if event.about_s:
            about = f"about {roughly(event.about_s)} on two cores"
            out.note(f"{event.total} settings are tried, {about}; leave the machine alone; Ctrl-C changes nothing")
        found = event.found if event.done == event.total else None
        out.progress.steps("trying settings", event.done, event.total, left_s=event.about_s or None)
    if found is None:
        raise PluriverseError("nothing was measured", "pluriverse engine calibrate")
    Calibrations(settings.home).keep(library, found)
    return status(args, out, settings)


def use(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...engines.local.libraries import Kept

    Kept(settings.home).use(args.library)
    return status(args, out, settings)


def remove(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...engines.local.libraries import Kept

    freed = Kept(settings.home).remove()
    out.document({"bytes": freed})
    out.line(f"freed {size(freed)}; engines use the wheel's library")
    return 0


def _model(ref: str, out: Output, settings: "Settings") -> "tuple[Path, str]":
    """The file to measure with and its name; fetched where it is missing."""
    from ..terminal.pulling import base_here

    ref = "small" if ref == "default" and settings.base.startswith("scripted") else ref
    place = base_here(ref, out, settings)
    if place.path is None:
        raise PluriverseError(f"{ref} has no file", "name a model: pluriverse ls")
    return place.path, place.name
