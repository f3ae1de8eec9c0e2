"""The processor at hand: its name and the instruction sets that kernels can be made for. Knows no library."""

import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ... import children
from .sizes import physical_cores

# Of all flags those that ggml's CPU kernels ask for (llama.cpp, ggml/src/ggml-cpu); the rest do not matter here.
_X86 = (
    "sse3 ssse3 sse4_1 sse4_2 avx avx2 f16c fma bmi2 avx_vnni avx512f avx512cd avx512bw avx512dq avx512vl avx512_vbmi "
    "avx512vbmi avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16"
)
_OTHERS = "neon asimd asimddp asimdhp i8mm bf16 sve sve2 sme rvv vsx lsx lasx"
_MATTERING = frozenset(f"{_X86} {_OTHERS}".split())


@dataclass(frozen=True, slots=True)
class Processor:
    """`features` are in the words of the system; `cores` counts hyper-threads once."""

    model: str
    machine: str  # e.g. x86_64
    features: frozenset[str]
    cores: int

    @property
    def key(self) -> str:
        """The same for processors on which the same code runs."""
        text = " ".join((platform.system(), self.machine, *sorted(self.features)))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def beyond_wheel(self) -> frozenset[str]:
        """Instruction sets that the wheel's kernels (AVX2 on x86-64, measured in docs/decisions/0006) leave unused."""
        return frozenset(name for name in self.features if name.startswith(("avx512", "amx", "avx_vnni")))


@cache
def this_processor() -> Processor:
    model, flags = _described()
    return Processor(
        model or platform.processor() or "unknown", platform.machine(), flags & _MATTERING, physical_cores()
    )


def _described() -> tuple[str, frozenset[str]]:
    """Model name and all flags, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return _sysctl("machdep.cpu.brand_string"), frozenset(_sysctl("machdep.cpu.features").lower().split())
    entries: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        entries.setdefault(name.strip().lower(), value.strip())
    return entries.get("model name", ""), frozenset((entries.get("flags") or entries.get("features", "")).split())


def _sysctl(name: str) -> str:
    try:
        return children.run(["/usr/sbin/sysctl", "-n", name]).stdout.strip()
    except OSError:
        return ""
