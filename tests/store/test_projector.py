"""A model's projector: pulled beside it, kept as a layer of its own, and shared its fate."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from pluriverse.catalogue import parse, projector_of
from pluriverse.engines.admitting import pull_projector
from pluriverse.errors import EngineError, NotFoundError, UnreachableError, UnsupportedError, UsageError
from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store, Verified, pull
from pluriverse.store.sources import hub
from pluriverse.values import HubSource, Pullable

from ..engines.local import architectures, projectors


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", offline=True)


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store.at(settings)


@pytest.fixture
def take(settings: Settings) -> Callable[..., Pulled]:
    """Pull a file, as the projector of a model where one is named."""

    async def taken(store: Store, pullable: Pullable, model: str | None) -> Pulled:
        pulling = pull_projector(store, model, pullable, settings) if model else pull(store, pullable, settings)
        async with aclosing(pulling) as events:
            return [event async for event in events if isinstance(event, Pulled)][-1]

    def take(store: Store, path: Path, model: str | None = None) -> Pulled:
        return asyncio.run(taken(store, parse(str(path)), model))

    return take


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return architectures.write(tmp_path / "seer.gguf", "llama"), projectors.llava(tmp_path / "mmproj-seer.gguf")


def test_it_belongs_to_its_model(store: Store, take: Callable[..., Pulled], files: tuple[Path, Path]) -> None:
    model, projector = files
    take(store, model)
    assert store.find("seer").projector is None
    pulled = take(store, projector, "seer")
    (kept,) = store.models()
    assert kept.projector is not None
    assert (kept.projector.digest, kept.projector.bytes) == (pulled.digest, projector.stat().st_size)
    assert kept.projector.path.read_bytes() == projector.read_bytes()
    take(store, model)  # again: what it sees with stays
    take(store, projector, "seer")
    assert store.find("seer").projector == kept.projector
    store.gc()
    (checked,) = (each for each in store.verify(["seer"]) if isinstance(each, Verified))
    assert (checked.checked, checked.bad) == (4, ())
    store.remove("seer")
    store.gc()
    assert not store.has(pulled.digest)
    assert not store.has(kept.digest)


def test_another_takes_its_place(
    store: Store, take: Callable[..., Pulled], files: tuple[Path, Path], tmp_path: Path
) -> None:
    model, projector = files
    take(store, model)
    take(store, projector, "seer")
    second = take(store, projectors.clip(tmp_path / "mmproj-2.gguf"), "seer")
    found = store.find("seer").projector
    assert found is not None
    assert found.digest == second.digest


def test_a_model_of_a_store_beside_gets_it_here(
    take: Callable[..., Pulled], files: tuple[Path, Path], tmp_path: Path
) -> None:
    model, projector = files
    take(Store(tmp_path / "stick"), model)
    store = Store(tmp_path / "here", [tmp_path / "stick"])
    take(store, projector, "seer")
    found = store.find("seer")
    assert found.store == tmp_path / "here"
    assert found.projector is not None
    assert found.path.is_relative_to(tmp_path / "stick")
    assert Store(tmp_path / "stick").find("seer").projector is None


def test_what_is_none_or_another_model_s_stays_out(
    store: Store, take: Callable[..., Pulled], files: tuple[Path, Path], tmp_path: Path
) -> None:
    model, projector = files
    take(store, model)
    with pytest.raises(NotFoundError):
        take(store, projector, "nobody")
    with pytest.raises(UnsupportedError, match="is no projector"):
        take(store, model, "seer")
    with pytest.raises(UnsupportedError, match="hears, and sees no pictures"):
        take(store, projectors.hearing(tmp_path / "ears.gguf"), "seer")
    with pytest.raises(EngineError, match="n_embd"):
        take(store, projectors.llava(tmp_path / "wide.gguf", width=96), "seer")
    with pytest.raises(UnsupportedError, match="no model itself") as refused:
        take(store, projector)
    assert "--projector" in str(refused.value.hint)
    assert store.find("seer").projector is None
    assert not [each for each in store.home.incoming.iterdir() if each.suffix != ".lock"]


def test_a_hub_repository_holds_both(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = projector_of(parse("hf:owner/seer-GGUF:Q4_K_M@v1"), "")
    assert beside.sources == (HubSource("owner/seer-GGUF", ":mmproj", "v1"),)
    for files, wanted in (
        (["seer-Q4_K_M.gguf", "mmproj-seer-f32.gguf", "mmproj-seer-F16.gguf", "mmproj-seer-Q8_0.gguf"], "F16"),
        (["mmproj-seer-f32.gguf", "mmproj-seer-Q8_0.gguf"], "Q8_0"),
        (["seer.gguf", "mmproj-model.gguf"], "model"),
    ):
        monkeypatch.setattr(hub, "_files", lambda source, files=files: files)
        (found,) = hub._by_quantization(HubSource("owner/seer-GGUF", ":mmproj"))
        assert found.removesuffix(".gguf").endswith(wanted)
    monkeypatch.setattr(hub, "_files", lambda source: ["seer-Q4_K_M.gguf"])
    assert hub._by_quantization(HubSource("owner/seer-GGUF", ":Q4_K_M")) == ("seer-Q4_K_M.gguf",)
    with pytest.raises(UnreachableError, match="holds no projector"):
        hub._by_quantization(HubSource("owner/seer-GGUF", ":mmproj"))
    with pytest.raises(UsageError, match="no hub repository"):
        projector_of(parse("/tmp/seer.gguf"), "")
