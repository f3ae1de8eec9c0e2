"""Settings of one local engine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Sizes in bytes where not said otherwise."""

    threads: int = 1
    max_streams: int = 64
    cache_memory: int = 2 * 1024**3  # most that keys and values of running replies may take
    prefix_memory: int = 64 * 1024**2  # most that prompt beginnings may keep
    flash_attention: bool = True
    cache_type: str = "f16"  # of keys and values: f16, f32 or q8_0
    chunk: int = 512  # most tokens of a prompt that are computed at once
    library: str | None = None  # path of a native library; None: the wheel's
    turns: str | None = None  # folder of the lock files by which this user's engines take turns; None: they do not
