"""A model that lies split into several files comes as one: from a folder, an address, the hub's listing."""

import asyncio
import hashlib
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter

from pluriverse import catalogue
from pluriverse.errors import IntegrityError, UnreachableError, UnsupportedError
from pluriverse.settings import Settings
from pluriverse.store import Store, pull, read_header
from pluriverse.store.heading import read_heading
from pluriverse.values import HubSource, PathSource, UrlSource, names_of_parts

from .conftest import Puller, Server, gguf
from .test_hub import hub, listed, pulled  # noqa: F401 (a fixture)
from .test_kinds import files


def tensors(count: int) -> dict[str, np.ndarray]:
    return {
        f"blk.{each}.weight": np.arange(each * 1000, each * 1000 + 333 * (each + 1), dtype=np.float32)
        for each in range(count)
    }


def write(
    path: Path, tensors: dict[str, np.ndarray], split: tuple[int, int, int] | None = None, first: bool = True
) -> Path:
    """`split`: (number from 0, of how many, tensors in all). `first`: with the model's metadata."""
    writer = GGUFWriter(path, "llama")
    if first:
        writer.add_context_length(2048)
        writer.add_name("tiny")
        writer.add_token_list(["a", "b", "c"])
        writer.add_token_scores([1.0, 2.0, 3.0])
    if split:
        writer.add_uint16("split.no", split[0])
        writer.add_uint16("split.count", split[1])
        writer.add_int32("split.tensors.count", split[2])
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def parts(folder: Path, of: int = 3, name: str = "Tiny-Q8_0") -> list[Path]:
    """The first part has metadata and no tensor, as `--no-tensor-first-split` leaves it."""
    folder.mkdir(exist_ok=True)
    every = list(tensors(2 * (of - 1)).items())
    found = []
    for number in range(of):
        own = dict(every[2 * number - 2 : 2 * number]) if number else {}
        file = folder / f"{name}-{number + 1:05}-of-{of:05}.gguf"
        found.append(write(file, own, (number, of, len(every)), first=number == 0))
    return found


def same_weights(path: Path, count: int) -> None:
    read = {each.name: each.data for each in GGUFReader(path).tensors}
    assert list(read) == list(tensors(count))
    for name, values in tensors(count).items():
        assert np.array_equal(read[name], values)
    header = read_header(path)
    assert header.metadata["general.name"] == "tiny" and header.metadata["split.count"] == 0


@pytest.mark.parametrize(
    "name", ["m.gguf", "m-00001-of-00001.gguf", "m-00003-of-00002.gguf", "m-00000-of-00002.gguf", "m-1-of-2.gguf"]
)
def test_names_of_no_part(name: str) -> None:
    assert names_of_parts(name) == (name,)


def test_names_of_parts() -> None:
    assert names_of_parts("a/m-00002-of-00002.gguf?x=1") == (
        "a/m-00001-of-00002.gguf?x=1",
        "a/m-00002-of-00002.gguf?x=1",
    )


@pytest.mark.parametrize("given", [0, 2])
def test_any_part_of_a_folder_names_the_model(given: int, tmp_path: Path, settings: Settings, store: Store) -> None:
    lying = parts(tmp_path / "folder")
    before = [path.read_bytes() for path in lying]
    events = collect(str(lying[given]), settings)
    model = store.find("tiny-q8-0")
    assert [model.name for model in store.models()] == ["tiny-q8-0"] and events[-1].digest == model.digest
    assert model.source == str(lying[0]) and model.bytes == model.path.stat().st_size == events[-1].bytes
    assert hashlib.sha256(model.path.read_bytes()).hexdigest() == model.digest.hex
    assert model.parameters == sum(values.size for values in tensors(4).values())
    same_weights(model.path, 4)
    assert [path.read_bytes() for path in lying] == before, "what is the user's stays"
    assert list(store.verify())[-1].bad == () and files(store).keys() >= {"index.json"}
    assert not list(store.home.incoming.glob("*.scratch")), "nothing is left aside"
    assert store.remove(model.name).bytes >= model.bytes
    store.gc()
    assert not model.path.exists()


def collect(ref: str, settings: Settings) -> list:
    async def work() -> list:
        return [event async for event in pull(Store.at(settings), catalogue.parse(ref), settings)]

    return asyncio.run(work())


def test_by_address_with_a_break_on_the_way(
    server: Server, tmp_path: Path, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluriverse.store.sources.http.RETRIES", 0)
    lying = parts(tmp_path / "folder")
    for path in lying:
        server.files[f"/{path.name}"] = path.read_bytes()
    ref = f"{server.url}/{lying[0].name}"
    server.breaks_after = [10**9, lying[1].stat().st_size // 2]
    with pytest.raises(UnreachableError):
        collect(ref, settings)
    assert files(store), "what came is kept"
    server.asked.clear()
    done = collect(ref, settings)[-1]
    asked = [(path.rpartition("/")[2], begin) for _, path, begin in server.asked]
    assert [path for path, _ in asked] == [path.name for path in lying[1:]], "the first part is not fetched again"
    assert asked[0][1] == f"bytes={lying[1].stat().st_size // 2}-"
    assert done.name == "tiny-q8-0" and done.resumed_bytes > lying[0].stat().st_size
    same_weights(store.find("tiny-q8-0").path, 4)


def test_killed_between_two_parts_of_the_joining(
    server: Server, tmp_path: Path, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pluriverse.store import joining

    lying = parts(tmp_path / "folder", of=4)
    for path in lying:
        server.files[f"/{path.name}"] = path.read_bytes()
    ref = f"{server.url}/{lying[0].name}"
    cut, seen = joining._cut, []

    def dies(piece: joining.Lying) -> None:
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(piece)
        cut(piece)

    monkeypatch.setattr(joining, "_cut", dies)
    with pytest.raises(KeyboardInterrupt):
        collect(ref, settings)
    monkeypatch.setattr(joining, "_cut", cut)
    scratch = next(store.home.incoming.glob("*.scratch"))
    left = {path.name.split("-")[0]: path.stat().st_size for path in scratch.glob("*.joined")}
    assert len(left) == 3 and left["00002"] < lying[1].stat().st_size, "its data are in the whole"
    server.asked.clear()
    collect(ref, settings)
    assert server.asked == []
    same_weights(store.find("tiny-q8-0").path, 6)


def test_a_listing_of_the_hub(tmp_path: Path, hub: Server) -> None:  # noqa: F811
    lying = parts(tmp_path / "folder", name="m-Q4_K_M")
    for path in lying:
        address = f"/someone/tiny-GGUF/resolve/main/Q4_K_M/{path.name}"
        hub.files[address] = path.read_bytes()
        digest = hashlib.sha256(hub.files[address]).hexdigest()
        hub.headers[address] = {"x-repo-commit": "a" * 40, "x-linked-etag": f'"{digest}"', "etag": f'"{digest}"'}
    names = [f"Q4_K_M/{path.name}" for path in lying]
    listed(hub, "mmproj-m-Q4_K_M.gguf", *reversed(names), "m-Q2_K.gguf")
    answer = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF:Q4_K_M")
    assert (answer.get("name"), answer.get("source")) == ("tiny-gguf-q4-k-m", "hf:someone/tiny-GGUF/:Q4_K_M@main"), (
        answer
    )
    same_weights(Store(tmp_path / "home" / "store").find("tiny-gguf-q4-k-m").path, 4)
    listed(hub, *names[:2], "m-Q2_K.gguf")
    refused = pulled(tmp_path / "other", hub.url, "hf:someone/tiny-GGUF:Q4_K_M")["error"]
    assert "split into 3 files, and only 2 of them" in refused["message"]
    hub.files[f"/someone/tiny-GGUF/resolve/main/{names[1]}"] = gguf(100)
    wrong = pulled(tmp_path / "third", hub.url, f"hf:someone/tiny-GGUF/{names[2]}")["error"]
    assert wrong["kind"] == "integrity" and names[1] in wrong["message"]


def test_the_heading_is_that_of_the_whole(tmp_path: Path, settings: Settings, store: Store, server: Server) -> None:
    lying = parts(tmp_path / "folder")
    for path in lying:
        server.files[f"/{path.name}"] = path.read_bytes()
    collect(str(lying[0]), settings)
    model = store.find("tiny-q8-0")
    for source in (PathSource(lying[1]), UrlSource(f"{server.url}/{lying[0].name}")):
        heading = asyncio.run(read_heading(source, settings))
        assert heading.size == model.bytes
        assert heading.header.tensors == read_header(model.path).tensors
        assert heading.header.data_offset == read_header(model.path).data_offset


def test_parts_of_two_models_are_told(tmp_path: Path, settings: Settings, store: Store) -> None:
    lying = parts(tmp_path / "folder")
    shutil.copy(lying[1], lying[2])
    with pytest.raises(IntegrityError, match="part 2 of 3"):
        collect(str(lying[0]), settings)
    write(lying[2], dict(list(tensors(2).items())), (2, 3, 4), first=False)
    with pytest.raises(IntegrityError, match="two parts"):
        collect(str(lying[0]), settings)
    write(lying[2], {"other": np.zeros(32, np.float32)}, (2, 3, 4), first=False)
    with pytest.raises(IntegrityError, match="3 tensors together, not 4"):
        collect(str(lying[0]), settings)
    lying[2].unlink()
    with pytest.raises(UnreachableError, match=r"no file .*-00003-of-00003"):
        collect(str(lying[0]), settings)
    assert files(store) == {}


def test_what_is_no_model_is_told_by_its_first_part(
    tmp_path: Path, server: Server, puller: Puller, store: Store
) -> None:
    lying = parts(tmp_path / "folder")
    data = gguf(
        metadata={
            "general.type": (8, struct.pack("<Q", 6) + b"mmproj"),
            "split.no": (2, b"\0\0"),
            "split.count": (2, b"\3\0"),
        }
    )
    server.files[f"/{lying[0].name}"] = data
    with pytest.raises(UnsupportedError, match="a projector"):
        puller(None, UrlSource(f"{server.url}/{lying[0].name}"))
    assert len(server.asked) == 1 and files(store) == {}


def test_a_folder_shows_a_split_model_once(tmp_path: Path, settings: Settings) -> None:
    lying = parts(tmp_path / "folder")
    shutil.copy(lying[0], lying[0].with_name("mmproj-F16.gguf"))
    with pytest.raises(UnreachableError) as told:
        collect(f"{tmp_path}/folder/", settings)
    assert told.value.hint == f"did you mean this? pluriverse pull {lying[0]}"


def test_the_hub_reference_of_a_part() -> None:
    (source,) = catalogue.parse("hf:o/r/deep/m-Q4-00002-of-00003.gguf@v1").sources
    assert source == HubSource("o/r", "deep/m-Q4-00001-of-00003.gguf", "v1")
