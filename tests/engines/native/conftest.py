"""Building without compiling: tools, compilers and trials that only pretend, so that what surrounds them is tested."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.local.libraries import NAMES
from pluriverse.engines.native import building, compiling, obtaining, trial
from pluriverse.engines.native.compiling import Compiler
from pluriverse.errors import EngineError

ZIG, GCC = Compiler("zig", "zig 1", "cc", "c++"), Compiler("system", "gcc 1", "gcc", "g++")
CHECKS = {"together as alone": True, "saved and restored": True}


@dataclass
class Pretence:
    """What the pretended machine does; change it before building."""

    compilers: list[Compiler] = field(default_factory=lambda: [ZIG, GCC])
    broken: set[str] = field(default_factory=set)  # kinds of compilers that cannot compile
    crashing: set[str] = field(default_factory=set)  # kinds whose kernels crash
    speed: dict[str, float] = field(default_factory=lambda: {"zig": 2.0, "system": 1.0})
    speed_of: dict[tuple[str, str], float] = field(default_factory=dict)  # by kind and model's stem, before `speed`
    unknown: set[str] = field(default_factory=set)  # stems of models that no library can run
    timed: list[tuple[str, str]] = field(default_factory=list)  # kind and stem, as they were timed
    checks: dict[str, bool] = field(default_factory=lambda: dict(CHECKS))
    off: float = 0.0  # by which logits differ from the wheel's
    off_fine: float = 0.0  # the same of the model in BF16
    fine: bool = False  # whether the processor has AMX for BF16
    compiled: list[tuple[str, str]] = field(default_factory=list)
    fetched: int = 0
    stop_at: int | None = None  # compiling step at which the process is killed


@pytest.fixture
def pretence(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pretence]:
    made = Pretence()

    def source(work: Path) -> Path:
        made.fetched += not (work / "source").is_dir()
        (work / "source").mkdir(parents=True, exist_ok=True)
        return work / "source"

    def configure(_source: Path, build: Path, compiler: Compiler, _tools: Path, _work: Path) -> None:
        (build / "bin").mkdir(parents=True)
        (build / "build.ninja").write_text(compiler.kind)

    def compile(build: Path, target: str, _tools: Path, _work: Path) -> Iterator[tuple[int, int]]:
        kind = (build / "build.ninja").read_text()
        made.compiled.append((kind, target))
        for step in range(1, 4):
            if made.stop_at == step:
                raise KeyboardInterrupt
            yield step, 3
        if kind in made.broken:
            raise EngineError("the build failed: no such header")
        (build / "bin" / NAMES[compiling.system()]).write_text(kind)

    def run(document: dict[str, Any]) -> dict[str, Any]:
        kind = Path(document["library"]).read_text() if document["library"] else "wheel"
        if kind in made.crashing:
            raise EngineError("the library's process ended: signal 4")
        if document["do"] == "speed":
            stem = Path(document["model"]).stem
            made.timed.append((kind, stem))
            if stem in made.unknown:
                raise EngineError("unknown architecture")
            speed = made.speed_of.get((kind, stem), made.speed.get(kind, 0.5))
            return {"prefill": {"512": 100 * speed}, "decode 8": {"40": 10 * speed}}
        rows = np.log(np.full((4, 2), 0.5, np.float32))
        if kind != "wheel":
            rows[:, 0] -= made.off_fine if document["model"].endswith("BF16.gguf") else made.off
        np.save(document["rows"], rows)
        return {"checks": made.checks if kind != "wheel" else CHECKS, "said": [], "system": kind}

    def formats(self: Any) -> dict[str, Path]:
        fine = {building.FINE: self._model.with_suffix(".BF16.gguf")} if made.fine else {}
        return dict.fromkeys(("as it is", *building.FORMATS), self._model) | fine

    monkeypatch.setattr(obtaining, "source", source)
    monkeypatch.setattr(obtaining, "tools", lambda work: work)
    monkeypatch.setattr(compiling, "compilers", lambda _work, _tools: made.compilers)
    monkeypatch.setattr(compiling, "configure", configure)
    monkeypatch.setattr(compiling, "compile", compile)
    monkeypatch.setattr(trial, "run", run)
    monkeypatch.setattr(building._Building, "_formats", formats)
    yield made


@pytest.fixture
def build(pretence: Pretence, tmp_path: Path) -> Callable[..., list[Any]]:
    """Build into the test's home; the events."""

    def go(compiler: str = "auto", **options: Any) -> list[Any]:
        return list(building.build(tmp_path / "home", tmp_path / "model.gguf", compiler, **options))

    return go
