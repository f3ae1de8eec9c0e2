"""What is no model that writes is said so by its header, and every refusal leaves the store as it was."""

import asyncio
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError, PluriverseError, UnreachableError, UnsupportedError
from pluriverse.store import Store, Whole, pull
from pluriverse.values import PathSource, Pullable, UrlSource

from .conftest import Puller, Server, digest, gguf, string


def text(value: str) -> tuple[int, bytes]:
    return 8, string(value)


def number(value: int, kind: str = "I") -> tuple[int, bytes]:
    return {"H": 2, "I": 4, "i": 5}[kind], struct.pack("<" + kind, value)


OTHERS = {
    "projector": (gguf(metadata={"general.architecture": text("clip")}), "a projector"),
    "projector by type": (gguf(metadata={"general.type": text("mmproj")}), "a projector"),
    "adapter": (gguf(metadata={"general.type": text("adapter")}), "an adapter"),
    "old adapter": (gguf(tensor="blk.0.attn_q.weight.lora_a"), "an adapter"),
    "importance matrix": (gguf(metadata={"general.type": text("imatrix")}), "an importance matrix"),
    "matrix by its tensors": (gguf(tensor="blk.0.attn_q.weight.in_sum2"), "an importance matrix"),
    "control vector": (gguf(metadata={"general.architecture": text("controlvector")}), "a control vector"),
    "part": (gguf(metadata={"split.no": number(1, "H"), "split.count": number(3, "H")}), "part 2 of 3"),
    "ranker": (gguf(metadata={"llama.pooling_type": number(4)}), "ranks texts"),
    "both ways": (gguf(metadata={"llama.attention.causal": (7, b"\0")}), "reads in both directions"),
    "encoder-decoder": (gguf(tensor="enc.blk.0.attn_q.weight"), "an encoder-decoder"),
    "another type": (gguf(metadata={"general.type": text("dataset")}), "of the type 'dataset'"),
    "no weights": (gguf(tensor=None), "without any weights"),
}
BROKEN = {
    "cut short": gguf()[:-100],
    "a web page": b"<html>please log in</html>" * 100,
    "empty": b"",
    "list for a text": gguf(metadata={"general.architecture": (9, struct.pack("<IQI", 4, 1, 7))}),
    "no layers": gguf(metadata={"llama.block_count": number(0)}),
    "a word twice": gguf(
        metadata={"tokenizer.ggml.tokens": (9, struct.pack("<IQ", 8, 3) + string("a") * 2 + string("b"))}
    ),
    "small alignment": gguf(metadata={"general.alignment": number(8)}),
    "type unknown": gguf(metadata={"x": (99, b"")}),
}


def files(store: Store) -> dict[str, int]:
    """All that lies in the store, but for the locks: path and size."""
    root = store.home.root
    return {
        str(path.relative_to(root)): path.stat().st_size
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@pytest.mark.parametrize("way", ["file", "address", "address and digest"])
@pytest.mark.parametrize("kind", [*OTHERS, *BROKEN])
def test_what_is_refused_leaves_nothing_behind(
    kind: str, way: str, tmp_path: Path, server: Server, puller: Puller, store: Store
) -> None:
    puller(gguf(700), PathSource(_written(tmp_path / "good.gguf", gguf(700))))
    before = files(store)
    data, words = OTHERS.get(kind) or (BROKEN[kind], "is empty|is not a sound GGUF file")
    mine = _written(tmp_path / "mine.gguf", data)
    server.files["/m.gguf"] = data
    source = PathSource(mine) if way == "file" else UrlSource(f"{server.url}/m.gguf")
    with pytest.raises(UnsupportedError if kind in OTHERS else IntegrityError, match=words) as error:
        puller(data if way == "address and digest" else None, source, name="other")
    assert str(source) in error.value.message and "ref-" not in error.value.message
    assert error.value.hint and "again later" not in error.value.hint
    assert files(store) == before
    assert mine.read_bytes() == data, "the user's own file stays"


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_who_will_not_have_it_leaves_nothing_either(tmp_path: Path, puller: Puller, store: Store) -> None:
    path = _written(tmp_path / "mine.gguf", gguf())

    async def refuse() -> None:
        events = pull(store, Pullable("the-ref", "tiny", (PathSource(path),)), puller.settings)
        async for event in events:
            if isinstance(event, Whole):
                assert store.models() == [] and event.path.exists()
                await events.athrow(UnsupportedError("not this one"))

    with pytest.raises(UnsupportedError, match="not this one"):
        asyncio.run(refuse())
    assert files(store) == {}
    assert path.exists()


def test_who_stops_at_the_last_moment_leaves_no_second_name(tmp_path: Path, puller: Puller, store: Store) -> None:
    path = _written(tmp_path / "mine.gguf", gguf())

    async def stop() -> None:
        events = pull(store, Pullable("the-ref", "tiny", (PathSource(path),)), puller.settings)
        async for event in events:
            if isinstance(event, Whole):
                break
        await events.aclose()

    asyncio.run(stop())
    assert files(store) == {} and path.stat().st_nlink == 1


def test_what_is_here_already_is_looked_at_too(tmp_path: Path, puller: Puller, store: Store) -> None:
    """A store that an earlier version filled."""
    data = OTHERS["ranker"][0]
    store.home.blobs.mkdir(parents=True)
    store.home.blob(digest(data)).write_bytes(data)
    with pytest.raises(UnsupportedError, match="tiny is a model that ranks"):
        puller(data)


def test_a_single_part_is_a_whole_model(server: Server, puller: Puller) -> None:
    server.files["/m-00001-of-00001.gguf"] = gguf(metadata={"split.count": number(1, "H")})
    assert puller(None, UrlSource(f"{server.url}/m-00001-of-00001.gguf"))


def test_what_is_no_model_is_not_fetched_to_its_end(
    server: Server, puller: Puller, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluriverse.store.receiving.MAX_HEADER", 100_000)
    data = server.files["/m.gguf"] = gguf(2_000_000, metadata={"general.type": text("mmproj")})
    server.breaks_after = [len(data) // 2]  # all that is asked for again would be heard of
    with pytest.raises(UnsupportedError, match="a projector"):
        puller(data, UrlSource(f"{server.url}/m.gguf"))
    assert len(server.asked) == 1 and files(store) == {}


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        ("modell.gguf", "there is no file", r"did you mean this\? pluriverse pull .*/model.gguf"),
        ("quite-another.gguf", "there is no file", "pluriverse pull .*/model.gguf"),
        ("nowhere/model.gguf", "there is no file", "there is no folder"),
        ("", "is a folder", "pluriverse pull .*/model.gguf"),
        ("pipe.gguf", "is no ordinary file", "ls -l"),
        ("loop.gguf", "cannot be read", "ls -l"),
        ("a" * 300 + ".gguf", "cannot be read", "ls -l"),
    ],
)
def test_a_path_is_told_in_words_of_files(
    name: str, words: str, hint: str, tmp_path: Path, puller: Puller, store: Store
) -> None:
    import os

    folder = tmp_path / "models"
    folder.mkdir()
    _written(folder / "model.gguf", gguf())
    os.mkfifo(folder / "pipe.gguf")
    (folder / "loop.gguf").symlink_to(folder / "loop.gguf")
    for other in ("pipe.gguf", "loop.gguf"):
        if other != name:
            (folder / other).unlink()
    with pytest.raises(UnreachableError, match=words) as error:
        puller(None, PathSource(folder / name if name else folder))
    said = f"{error.value.message} {error.value.hint}"
    import re

    assert re.search(hint, str(error.value.hint)), error.value.hint
    assert str(folder) in said and "network" not in said and "later" not in said


def test_a_disk_that_fails_while_the_name_is_written_leaves_no_blob(
    tmp_path: Path, puller: Puller, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise PluriverseError("the disk is full")

    monkeypatch.setattr("pluriverse.store.layout.Layout.add_document", full)
    with pytest.raises(PluriverseError, match="full"):
        puller(None, PathSource(_written(tmp_path / "mine.gguf", gguf())))
    assert files(store) == {}


def test_long_and_unprintable_facts_of_a_header_do_not_reach_lists(
    tmp_path: Path, puller: Puller, store: Store
) -> None:
    odd = gguf(metadata={"general.license": text("\x1b[31mred"), "general.architecture": text("l" * 9000)})
    puller(None, PathSource(_written(tmp_path / "mine.gguf", odd)))
    model = store.find("tiny")
    assert (model.licence, model.architecture) == (None, None)
    assert replace(model, name="x")
