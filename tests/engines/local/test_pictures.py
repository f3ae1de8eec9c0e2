"""Pictures through the whole local engine: its processes, the tiny models of `projectors`, and bad pictures."""

import asyncio
import struct
import zlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pluriverse.engines.contract import Chunk, Failed, Finished, Guide, Request, ScoreRequest, Started
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.errors import PluriverseError, UnsupportedError, UsageError
from pluriverse.pictures import picture
from pluriverse.settings import Settings
from pluriverse.values import Message, Picture, Sampling

from . import architectures, projectors

GREEDY = Sampling(temperature=0, max_tokens=6)
MODELS = {"llama": projectors.llava, "qwen2vl": projectors.qwen2vl}
Heard = dict[int, tuple[str, Started | None, PluriverseError | None]]
Make = Callable[..., LocalEngine]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("models")
    return {
        kind: (architectures.write(folder / f"{kind}.gguf", kind), write(folder / f"mmproj-{kind}.gguf"))
        for kind, write in MODELS.items()
    }


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    with asyncio.Runner() as runner:
        yield runner.run


def engine_of(files: tuple[Path, Path], home: Path, *, sees: bool = True) -> LocalEngine:
    model, projector = files
    return LocalEngine("seer", None, model, Settings(home=home), EngineOptions(), projector if sees else None)


def shown(seed: int, width: int = 112, height: int = 84) -> Picture:
    return picture(projectors.png(projectors.pixels(seed, width, height)))


def request(voice: str, *pictures: Picture, **more: Any) -> Request:
    return Request((Message("system", voice), Message("user", "what is it?", pictures)), GREEDY, **more)


async def heard(engine: LocalEngine, requests: Sequence[Request]) -> Heard:
    found: Heard = dict.fromkeys(range(len(requests)), ("", None, None))
    async for event in engine.generate(requests):
        text, started, error = found[event.index]
        match event:
            case Chunk():
                found[event.index] = (text + event.text, started, error)
            case Started():
                found[event.index] = (text, event, error)
            case Failed():
                found[event.index] = (text, started, event.error)
            case Finished():
                pass
    return found


@pytest.mark.parametrize("kind", MODELS)
def test_eight_voices_see_as_each_alone(
    kind: str, files: dict[str, tuple[Path, Path]], tmp_path: Path, ask: Any
) -> None:
    """In one call, beside voices that see another picture or none, and never having seen it before; then again."""
    cat, dog = shown(1), shown(2, 84, 112)
    asked = [request(f"you are {name}", cat) for name in "abcdefgh"]
    others = [request("you are a"), request("you are a", dog), request("you are b", cat, dog)]

    async def compared() -> None:
        whole = [*asked, *others]
        alone = {}
        for place in (0, 7, 8, 10):
            engine = engine_of(files[kind], tmp_path)
            alone[place] = (await heard(engine, [whole[place]]))[0]
            await engine.aclose()
        engine = engine_of(files[kind], tmp_path)
        together, again = await heard(engine, whole), await heard(engine, whole)
        await engine.aclose()
        assert all(error is None for _, _, error in (*together.values(), *again.values()))
        for place, (text, started, _) in alone.items():
            assert (together[place][0], again[place][0]) == (text, text)
            assert started
            assert together[place][1].prompt_tokens == started.prompt_tokens  # type: ignore[union-attr]
            assert again[place][1].cached_tokens == started.prompt_tokens  # type: ignore[union-attr]
        assert len({text for text, _, _ in together.values()}) > 3

    ask(compared())


def test_guided_led_and_talked_on(files: dict[str, tuple[Path, Path]], tmp_path: Path, ask: Any) -> None:
    cat = shown(1)
    other = (Message("system", "you are not"), Message("user", "what is it?", (cat,)))
    turns = (
        Message("user", "what is it?", (cat,)),
        Message("assistant", "a cat"),
        Message("user", "sure?", (shown(3),)),
    )

    async def said() -> Heard:
        engine = engine_of(files["qwen2vl"], tmp_path)
        found = await heard(
            engine,
            [request("you", cat, guide=Guide(other, 1.0)), request("you", cat, lead="I see"), Request(turns, GREEDY)],
        )
        await engine.aclose()
        return found

    found = ask(said())
    assert all(error is None for _, _, error in found.values())
    assert found[1][0].startswith("I see")


def bad_pictures() -> dict[str, Picture]:
    def png(packed: bytes) -> bytes:
        good = projectors.png(projectors.pixels(1, 2, 2))
        start = good.index(b"IDAT")
        chunk = struct.pack(">I", len(packed)) + b"IDAT" + packed + struct.pack(">I", zlib.crc32(b"IDAT" + packed))
        return good[: start - 4] + chunk + good[-12:]

    packer, zeros = zlib.compressobj(1), bytes(2**24)
    bomb = [*(packer.compress(zeros) for _ in range(130)), packer.flush()]  # two gigabytes
    whole = projectors.png(projectors.pixels(1, 40, 30))
    return {
        "cut": picture(whole[:-200]),
        "too few rows": picture(png(zlib.compress(b"\0"))),
        "a bomb": picture(png(b"".join(bomb))),
        "noise": picture(whole[:40] + bytes(range(256)) * 9),
    }


def test_a_bad_picture_ends_one_reply(files: dict[str, tuple[Path, Path]], tmp_path: Path, ask: Any) -> None:
    bad = bad_pictures()

    async def said() -> Heard:
        engine = engine_of(files["llama"], tmp_path)
        found = await heard(engine, [*(request("you", each) for each in bad.values()), request("you", shown(1))])
        await engine.aclose()
        return found

    found = ask(said())
    for index, name in enumerate(bad):
        error = found[index][2]
        assert isinstance(error, UsageError), name
        assert error.hint
    text, _, error = found[len(bad)]
    assert error is None
    assert text


def test_without_a_projector_it_says_so(files: dict[str, tuple[Path, Path]], tmp_path: Path, ask: Any) -> None:
    async def said() -> Heard:
        engine = engine_of(files["llama"], tmp_path, sees=False)
        assert not engine.capabilities.images
        found = await heard(engine, [request("you", shown(1)), request("you")])
        await engine.aclose()
        return found

    found = ask(said())
    assert isinstance(found[0][2], UnsupportedError)
    assert "no projector" in found[0][2].message
    assert "--projector" in str(found[0][2].hint)
    assert found[1][0]


def test_pictures_are_not_scored(files: dict[str, tuple[Path, Path]], tmp_path: Path, ask: Any) -> None:
    messages = (Message("user", "what is it?", (shown(1),)),)

    async def scored() -> None:
        engine = engine_of(files["llama"], tmp_path)
        assert engine.capabilities.images
        with pytest.raises(UnsupportedError, match="cannot be scored"):
            await engine.score(messages, ["a cat"])
        with pytest.raises(UnsupportedError, match="cannot be scored"):
            async for _ in engine.score_all([ScoreRequest(messages, ("a cat",))]):
                pass
        await engine.aclose()

    ask(scored())
