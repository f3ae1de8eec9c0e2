"""What the user's environment says. The only module that reads environment variables.

PLURIVERSE_HOME      the data folder (default: the platform's user data folder)
PLURIVERSE_STORES    further stores to read from, e.g. on a USB stick; separated like PATH
PLURIVERSE_CATALOGUES  further folders of catalogue files, e.g. of an organisation; separated like PATH
PLURIVERSE_FOLDERS   folders to look in for a file of the wanted digest before any network; separated like PATH
PLURIVERSE_MIRRORS   hub mirrors tried after the hub, separated by commas
PLURIVERSE_OFFLINE   1: never open a connection, not even to pull
PLURIVERSE_BASE      the model that assistants with base = "default" speak through: small, standard, better or any other
PLURIVERSE_PANEL     the panel that is asked when nobody is named (default: works)
PLURIVERSE_MEMORY    bytes that idle engines may keep; suffixes K, M, G (default: half of this machine's memory)
PLURIVERSE_THREADS   threads of the local engine (default: this machine's physical cores)
PLURIVERSE_FLASH     1 or 0: flash attention on or off (default: as measured by `pluriverse engine calibrate`, else on)
PLURIVERSE_HISTORY   off: asks and chats are kept nowhere
PLURIVERSE_DATA      a local folder laid out like the public data sets
VISUAL, EDITOR       the editor that `pluriverse edit` opens
NO_COLOR             set: no colour (https://no-color.org)
TERM                 dumb: a terminal on which nothing can be drawn twice
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError

_SEARCHED = {
    "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "LIBRARY_PATH",
    "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "CMAKE_PREFIX_PATH", "CMAKE_MODULE_PATH", "PKG_CONFIG_PATH",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """One reading of the environment; pass it down, never read it again."""

    home: Path
    stores: tuple[Path, ...] = ()
    further_catalogues: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    mirrors: tuple[str, ...] = ()
    offline: bool = False
    base: str = "default"  # that: a rung of the ladder, as this machine allows
    panel: str = "works"  # asked when nobody is named
    memory: int | None = None  # bytes; None = half of this machine's memory
    threads: int | None = None  # None = physical cores
    flash_attention: bool | None = None  # None = as measured
    history: bool = True
    history_path: Path | None = None  # of a reader of the server; None: in the data folder
    data: Path | None = None
    editor: str | None = None  # a command line
    colour: bool = True
    redraws: bool = True  # the terminal can be drawn on again

    @property
    def store(self) -> Path:
        return self.home / "store"

    @property
    def assistants(self) -> Path:
        return self.home / "assistants"

    @property
    def panels(self) -> Path:
        return self.home / "panels"

    @property
    def catalogues(self) -> tuple[Path, ...]:
        """Folders of catalogue files: the user's own first."""
        own = self.home / "catalogue"
        return (*((own,) if own.is_dir() else ()), *self.further_catalogues)

    @property
    def history_file(self) -> Path:
        return self.history_path or self.home / "history.db"


def turns_folder() -> Path:
    """Where this user's engines, of whatever data folder, take turns at the processor."""
    import tempfile

    own = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"pluriverse-{own}"


def physical_memory() -> int:
    """Bytes of memory of this machine; 8 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return 8 * 1024**3


def free_memory() -> int | None:
    """Bytes of memory that programs could have now, also within this container's limit; None where nobody says."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        pass
    try:
        group = Path("/sys/fs/cgroup")
        most, held = (int((group / name).read_text("ascii")) for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text("ascii").splitlines())
        found.append(max(most - held + int(stat.get("inactive_file", 0)), 0))  # pages that are given back
    except (OSError, ValueError):  # no such limit
        pass
    return min(found, default=None)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (default: the process's environment).

    Raises UsageError where a value cannot be understood.
    """
    env = os.environ if environ is None else environ
    home = env.get("PLURIVERSE_HOME")
    return Settings(
        home=_path("PLURIVERSE_HOME", home) if home else _platform_home(),
        stores=_paths("PLURIVERSE_STORES", env),
        further_catalogues=_paths("PLURIVERSE_CATALOGUES", env),
        folders=_paths("PLURIVERSE_FOLDERS", env),
        mirrors=tuple(
            part.strip().rstrip("/") for part in env.get("PLURIVERSE_MIRRORS", "").split(",") if part.strip()
        ),
        offline=_switch("PLURIVERSE_OFFLINE", env.get("PLURIVERSE_OFFLINE", "0")),
        base=env.get("PLURIVERSE_BASE") or "default",
        panel=env.get("PLURIVERSE_PANEL") or "works",
        memory=_bytes("PLURIVERSE_MEMORY", env["PLURIVERSE_MEMORY"]) if env.get("PLURIVERSE_MEMORY") else None,
        threads=_count("PLURIVERSE_THREADS", env["PLURIVERSE_THREADS"]) if env.get("PLURIVERSE_THREADS") else None,
        flash_attention=_switch("PLURIVERSE_FLASH", env["PLURIVERSE_FLASH"]) if env.get("PLURIVERSE_FLASH") else None,
        history=_switch("PLURIVERSE_HISTORY", env.get("PLURIVERSE_HISTORY", "on")),
        data=_path("PLURIVERSE_DATA", env["PLURIVERSE_DATA"]) if env.get("PLURIVERSE_DATA") else None,
        editor=env.get("VISUAL") or env.get("EDITOR") or None,
        colour=not env.get("NO_COLOR"),
        redraws=env.get("TERM") != "dumb",
    )


def child_environment(**changes: str) -> dict[str, str]:
    """This process's environment with `changes`, for a process that is started from here (`children`).

    Search paths lose their relative entries, since an empty one is the current folder; Python programs further down
    search neither that, nor the user's site, nor PYTHONPATH.
    """
    kept = {name: value for name, value in os.environ.items() if name not in {*_SEARCHED, "PYTHONPATH"}}
    for name in _SEARCHED & os.environ.keys():
        if entries := [each for each in os.environ[name].split(os.pathsep) if Path(each).is_absolute()]:
            kept[name] = os.pathsep.join(entries)
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1", **changes}


_CONNECTING = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def connecting_variables() -> dict[str, str]:
    """What libraries read of proxies and certificates in the environment. May hold secrets."""
    names = [each for name in _CONNECTING for each in (name, name.lower())]
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def tell_libraries(**values: str) -> None:
    """Settings of libraries that read the environment themselves; what the user has set stays."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


def _platform_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("pluriverse", appauthor=False)


def _paths(name: str, env: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(_path(name, part) for part in env.get(name, "").split(os.pathsep) if part)


def _path(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~NAME of nobody, or ~ of a user without a home
        raise UsageError(f"{name} is {text!r}, and that has no home folder", "write the whole path") from None


def _switch(name: str, text: str) -> bool:
    value = text.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"", "0", "false", "no", "off"}:
        return False
    raise UsageError(f"{name} is {text!r}", f"set it to 1 or 0, e.g. {name}=1")


def _count(name: str, text: str) -> int:
    if text.isdecimal() and len(text) < 5 and int(text) > 0:
        return int(text)
    raise UsageError(f"{name} is {text!r}", f"set it to a whole number from 1 to 9999, e.g. {name}=4")


def _bytes(name: str, text: str) -> int:
    units = {"K": 1024, "M": 1024**2, "G": 1024**3}
    number, unit = (text[:-1], units[text[-1].upper()]) if text[-1].upper() in units else (text, 1)
    if number.isdecimal() and len(number) < 19 and int(number) > 0:
        return int(number) * unit
    raise UsageError(f"{name} is {text!r}", f"set it to a number of bytes, e.g. {name}=4G")
