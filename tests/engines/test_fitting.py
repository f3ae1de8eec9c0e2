"""What `fit` says of models that are here is what the engine then holds; references that are none, and no network."""

import asyncio
import struct
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pluriverse.catalogue.fit import Machine
from pluriverse.catalogue.needs import Load, Profile, memory_of
from pluriverse.catalogue.shape import from_header
from pluriverse.catalogue.verdict import Fit
from pluriverse.engines.contract import Request
from pluriverse.engines.local import LocalEngine
from pluriverse.engines.native import synthetic
from pluriverse.engines.native.profiling import Measuring, Profiles
from pluriverse.errors import EngineCrashedError, IntegrityError, PluriverseError, UnreachableError, UsageError
from pluriverse.runtime.fitting import Asked, FitEvent, Reading, Unmeasured, fit
from pluriverse.settings import Settings
from pluriverse.store.gguf import read_header
from pluriverse.store.heading import read_heading
from pluriverse.values import Message, Sampling, UrlSource

from ..store.conftest import Server, gguf, server  # noqa: F401

MIB = 1024**2
BIG = Machine(64 * 10**9, 500 * 10**9)


def events(ref: str, settings: Settings, asked: Asked | None = None, **how: object) -> Sequence[FitEvent]:
    async def run() -> list[FitEvent]:
        return [each async for each in fit(ref, asked or Asked(), settings, **how)]  # type: ignore[arg-type]

    return asyncio.run(run())


def fitted(ref: str, settings: Settings, asked: Asked | None = None) -> Fit:
    *_, last = events(ref, settings, asked, measure=False, machine=BIG)
    assert isinstance(last, Fit)
    return last


@pytest.mark.model
@pytest.mark.parametrize(("voices", "words"), [(1, 20), (8, 20), (2, 300)])
def test_memory_is_what_the_engine_holds(
    default_model: Path, model_settings: Settings, voices: int, words: int
) -> None:
    header = read_header(default_model)
    shape = from_header(header.metadata, header.tensors, header.data_offset)

    async def held() -> tuple[int, int, int]:
        engine = LocalEngine("small", None, default_model, model_settings)
        prompt = " ".join(["bread"] * words)
        said = Sampling(max_tokens=8, temperature=0)
        requests = [Request((Message("user", f"{each} {prompt}"),), said) for each in range(voices)]
        read = 0
        async for event in engine.generate(requests):
            read = max(read, getattr(event, "prompt_tokens", 0))
        lines = Path(f"/proc/{engine.pid}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
        counted = engine.memory
        await engine.aclose()
        return read, peak, counted

    read, peak, counted = asyncio.run(held())
    found = memory_of(shape, Load(read + 8, voices, read), frozenset())
    assert found.total == pytest.approx(peak, rel=0.07)
    # What the engine counts is without the copies of a prompt's state that are made in passing.
    assert counted / 1.12 <= found.weights + found.cache <= counted * 1.25


@pytest.mark.model
def test_a_file_is_as_large_as_its_shape(default_model: Path, model_settings: Settings) -> None:
    found = fitted(str(default_model), model_settings)
    assert found.fits and found.bytes == default_model.stat().st_size
    assert found.memory_low is None, "a header leaves nothing open"
    two = fitted(str(default_model), model_settings, Asked(assistants=4, guided=True))
    assert two.load.streams == 8 and two.memory_needed and found.memory_needed
    assert two.memory_needed > found.memory_needed
    with pytest.raises(UsageError, match="in the quantisation that it has"):
        fitted(str(default_model), model_settings, Asked(quantisation="Q8_0"))


@pytest.mark.model
def test_a_model_made_to_be_measured_is_measured(
    tmp_path: Path, model_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small matrices, in this process: that every format can be written, loaded and timed."""
    from pluriverse.engines.local.library import open_library

    monkeypatch.setattr(synthetic, "WIDE", 512)
    monkeypatch.setattr(synthetic, "NARROW", 256)
    monkeypatch.setattr(synthetic, "WEIGHTS", 1_000_000)
    library = open_library(None)
    for type in ("Q4_K", "Q8_0", "BF16"):
        found = synthetic.kernels(library, type, {"threads": 1}, 0.0)
        for each in (found["wide"], found["narrow"]):
            assert set(each["decode"]) == {1, 2, 4, 8, 16} and each["read"] > 0
            assert sorted(each["decode"].values()) == [each["decode"][rows] for rows in (1, 2, 4, 8, 16)]


def test_what_was_measured_is_kept_by_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def run(document: dict[str, object]) -> dict[str, object]:
        asked.append(document["types"])
        timing = {"decode": {"1": 1e-9}, "read": 1e-9}
        kernel = {"wide": timing, "narrow": timing, "copied": True}
        rest = dict.fromkeys(("attention", "attention_read", "layer", "word", "token"), 1e-9)
        return {"kernels": dict.fromkeys(document["types"], kernel), "rest": rest if document["rest"] else None}  # type: ignore[call-overload]

    monkeypatch.setattr("pluriverse.engines.native.trial.run", run)
    profiles = Profiles(Settings(home=tmp_path))
    assert profiles.found() is None
    first, *_, last = profiles.measure(("Q4_K", "999"))
    assert first == Measuring(None, 0, 2, 12) and asked == [[], ["Q4_K"]], "a format that nobody can make is left out"
    assert isinstance(last, Profile) and profiles.found() == last
    [*_, _], [again] = list(profiles.measure(("Q4_K", "Q6_K"))), list(profiles.measure(("Q6_K",)))
    assert asked[2:] == [["Q6_K"]] and isinstance(again, Profile) and set(again.kernels) == {"Q4_K", "Q6_K"}
    file = tmp_path / "engine" / "profile.json"
    file.write_text(file.read_text().replace('"narrow"', '"earlier"'))
    assert profiles.found() is None, "what an earlier version measured is measured anew"
    file.write_text('{"broken')
    assert profiles.found() is None


def test_a_machine_that_cannot_be_measured_still_gets_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(document: object) -> None:
        raise EngineCrashedError("it ended", None)

    monkeypatch.setattr("pluriverse.engines.native.trial.run", run)
    *_, unmeasured, last = events("qwen2.5-7b-instruct", Settings(home=tmp_path), machine=BIG)
    assert isinstance(unmeasured, Unmeasured) and isinstance(last, Fit)
    assert last.fits and last.tokens_per_s is None and "unmeasured" in [each.kind for each in last.why]


def test_entries_are_judged_without_a_network(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, offline=True)
    found = fitted("qwen2.5-7b-instruct", settings)
    assert found.fits and found.quantisation == found.take == "Q4_K_M"
    assert fitted("qwen2.5-7b-instruct", settings, Asked(quantisation="q8_0")).quantisation == "Q8_0"
    closed = fitted("gpt-3.5-turbo", settings)
    assert (closed.fits, closed.memory_needed) == (False, None) and closed.why[0].kind == "closed"
    with pytest.raises(UsageError, match="no quantisation"):
        fitted("qwen2.5-7b-instruct", settings, Asked(quantisation="Q9"))


@pytest.mark.parametrize(
    ("ref", "error"),
    [("no-such-model", PluriverseError), ("hf:a/b:Q4_K_M", UnreachableError), ("scripted", UsageError),
     ("/no/such.gguf", PluriverseError)],
)  # fmt: skip
def test_references_that_cannot_be_judged(tmp_path: Path, ref: str, error: type[PluriverseError]) -> None:
    with pytest.raises(error) as raised:
        fitted(ref, Settings(home=tmp_path, offline=True))
    assert raised.value.hint


@pytest.mark.parametrize("how", [{"context": 0}, {"assistants": 0}, {"prompt": 9000}, {"context": 2**40}])
def test_numbers_that_nobody_means(how: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Asked(**how)  # type: ignore[arg-type]


def test_only_the_beginning_of_a_file_is_read(tmp_path: Path, server: Server) -> None:  # noqa: F811
    shape = {f"llama.{key}": (4, struct.pack("<I", 64)) for key in ("block_count", "embedding_length")}
    server.files["/m.gguf"] = whole = gguf(30 * MIB, metadata=shape)
    server.pace = 0.05  # seconds per 64 KiB: the whole would take a minute and a half
    began = time.monotonic()
    reading, last = events(f"{server.url}/m.gguf", Settings(home=tmp_path), measure=False, machine=BIG)
    assert isinstance(reading, Reading) and isinstance(last, Fit)
    assert last.fits and last.bytes == pytest.approx(len(whole), abs=64) and time.monotonic() - began < 45


def test_a_header_over_the_network_is_checked(tmp_path: Path, server: Server) -> None:  # noqa: F811
    settings = Settings(home=tmp_path)
    whole = gguf(30 * MIB)
    server.files |= {"/m.gguf": whole, "/page.gguf": b"<!doctype html>" * 99, "/cut.gguf": whole[:60]}
    found = asyncio.run(read_heading(UrlSource(f"{server.url}/m.gguf"), settings))
    assert found.size == len(whole) and found.header.tensors
    for path in ("/page.gguf", "/cut.gguf"):
        with pytest.raises(IntegrityError):
            asyncio.run(read_heading(UrlSource(server.url + path), settings))
    with pytest.raises(UnreachableError):
        asyncio.run(read_heading(UrlSource(f"{server.url}/none.gguf"), settings))
