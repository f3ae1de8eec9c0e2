"""What the library cannot load is told at `pull` and `new`, in its own words, and never becomes visible."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluriverse.assistant.bases import NotPulled, resolve
from pluriverse.cli import main
from pluriverse.engines.admitting import pull_usable
from pluriverse.engines.local.client import LocalEngine
from pluriverse.engines.local.library import open_library
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.trial import _verdict, knows, trial
from pluriverse.errors import EngineError, NotFoundError, PluriverseError, UnsupportedError
from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store
from pluriverse.values import PathSource, Pullable

from .tiny import write_tiny

CASES: dict[str, tuple[dict[str, Any], type[PluriverseError], str]] = {
    "architecture": ({"architecture": "qwen9moe"}, UnsupportedError, "does not know the architecture 'qwen9moe'"),
    "a name only": ({"architecture": "gptj"}, UnsupportedError, "does not know the architecture 'gptj'"),
    "tokenizer": ({"tokenizer": "newtok"}, UnsupportedError, "does not know the tokenizer 'newtok'"),
    "pre-tokenizer": (
        {"tokenizer": "gpt2", "pre": "newpre"},
        UnsupportedError,
        "does not know the pre-tokenizer 'newpre'",
    ),
    "tensor": ({"without": ["blk.0.ffn_up.weight"]}, EngineError, "tensor 'blk.0.ffn_up.weight' not found"),
    "layers": ({"layers": 2}, EngineError, "tensor 'blk.1.attn_norm.weight' not found"),
    "assertion": ({"layers": 5000}, EngineError, r"breaks off over .*GGML_ASSERT"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", offline=True)


def pulled(path: Path, settings: Settings, ref: str = "the-ref") -> Pulled:
    async def work() -> Pulled:
        pullable = Pullable(ref, "tiny", (PathSource(path),))
        return [event async for event in pull_usable(Store.at(settings), pullable, settings)][-1]  # type: ignore[return-value]

    return asyncio.run(work())


def test_what_can_be_loaded_comes_in(tmp_path: Path, settings: Settings) -> None:
    made = pulled(write_tiny(tmp_path / "mine.gguf"), settings)
    assert made.problem is None
    assert Store.at(settings).find("tiny").digest == made.digest


@pytest.mark.parametrize("case", CASES)
def test_the_librarys_reason_is_told_and_nothing_stays(case: str, tmp_path: Path, settings: Settings) -> None:
    changes, kind, words = CASES[case]
    path = write_tiny(tmp_path / "mine.gguf", **changes)
    with pytest.raises(kind, match=words) as error:
        pulled(path, settings)
    assert type(error.value) is kind and str(path) in error.value.message and error.value.hint
    assert "failed to load model" not in error.value.message
    assert not [each for each in settings.store.rglob("*") if each.is_file() and each.suffix != ".lock"]
    assert path.exists()


def test_a_file_without_a_vocabulary_is_kept_by_its_bytes_and_said_so(
    tmp_path: Path, settings: Settings, make_bare: Callable[[Path], Path]
) -> None:
    made = pulled(make_bare(tmp_path / "bare.gguf"), settings)
    assert made.problem and "key not found" in made.problem


@pytest.fixture
def make_bare() -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        import numpy as np
        from gguf import GGUFWriter

        file = GGUFWriter(path, "llama")
        file.add_tensor("token_embd.weight", np.zeros((4, 32), np.float32))
        file.write_header_to_file()
        file.write_kv_data_to_file()
        file.write_tensors_to_file()
        file.close()
        return path

    return make


def test_pull_names_no_next_question_where_none_can_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_bare: Callable[[Path], Path]
) -> None:
    assert main(["pull", str(make_bare(tmp_path / "bare.gguf"))]) == 0
    told = capsys.readouterr().err
    assert "cannot be asked" in told and "try it" not in told
    assert main(["pull", str(write_tiny(tmp_path / "m.gguf", architecture="flux"))]) == 1
    told = capsys.readouterr().err
    assert "architecture 'flux'" in told and "try it" not in told
    assert main(["pull", str(write_tiny(tmp_path / "good.gguf"))]) == 0
    assert "try it: pluriverse ask" in capsys.readouterr().err


@pytest.mark.parametrize("case", ["web page", "embedding", "architecture", "missing"])
def test_new_looks_at_the_file_that_it_is_given(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.gguf"
    if case == "web page":
        path.write_bytes(b"<html>please log in</html>" * 50)
    elif case == "embedding":
        write_tiny(path, pooling=1)
    elif case == "architecture":
        write_tiny(path, architecture="flux")
    assert main(["new", "gardener", "--system", "Hi.", "--base", str(path)]) in {1, 3}
    told = capsys.readouterr().err
    assert str(path) in told and "hint: " in told and "network" not in told
    assert not list((tmp_path / "home").rglob("*.toml"))


def test_a_file_that_was_pulled_is_found_by_its_path(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_tiny(tmp_path / "mine.gguf")
    monkeypatch.chdir(tmp_path)
    assert main(["new", "gardener", "--system", "Hi.", "--base", "mine.gguf"]) == 0
    assert f"pluriverse pull {path}" in capsys.readouterr().err
    store = Store.at(settings)
    with pytest.raises(NotPulled, match=r"mine\.gguf is not in the store yet"):
        resolve("mine.gguf", store, settings)
    made = pulled(path, settings, "mine.gguf")
    for ref in ("mine.gguf", "./mine.gguf", str(path)):
        assert resolve(ref, store, settings).digest == made.digest
    path.unlink()
    assert resolve(str(path), store, settings).digest == made.digest, "gone since, and kept here"
    write_tiny(path, layers=2)
    with pytest.raises(NotPulled):
        resolve(str(path), store, settings)
    with pytest.raises(NotFoundError, match="there is no file"):
        resolve("other.gguf", store, settings)


def test_the_trial_imports_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "numpy", "gguf", "xllamacpp", "pluriverse", "ctypes"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    path = write_tiny(tmp_path / "mine.gguf")
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(trial(path, "it")) is None
    assert not (tmp_path / "ran").exists()


def test_a_trial_that_takes_too_long_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pluriverse.engines.local.trial._SECONDS", 0)
    error = asyncio.run(trial(write_tiny(tmp_path / "mine.gguf"), "it"))
    assert error and "took more than" in error.message


@pytest.mark.parametrize(("code", "said"), [(0, b'{"tried": false, "error": null}'), (1, b"")])
def test_where_nothing_can_be_tried_nothing_is_refused(code: int, said: bytes) -> None:
    """No library on this platform, or no process to try it in."""
    assert _verdict(code, said, "ModuleNotFoundError", "it") is None


def test_a_model_that_does_not_load_says_why_not_that_it_failed(tmp_path: Path) -> None:
    library = open_library()
    library.log.append("an older warning")
    with pytest.raises(EngineError, match=r"cannot load mine\.gguf: .*tensor 'output_norm\.weight' not found"):
        Model(library, write_tiny(tmp_path / "mine.gguf", without=["output_norm.weight"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pooling": 4}, "my-model is a model that ranks"),
        ({"architecture": "flux"}, "does not know the architecture 'flux' of my-model"),
        ({"layers": 5000}, "GGML_ASSERT"),
    ],
)
def test_an_engine_says_it_too_of_what_an_earlier_version_kept(
    changes: dict[str, Any], words: str, tmp_path: Path, settings: Settings
) -> None:
    async def start() -> None:
        engine = LocalEngine("my-model", None, write_tiny(tmp_path / "abcdef", **changes), settings)
        try:
            await engine.start()
        finally:
            await engine.aclose()

    with pytest.raises(EngineError, match=words) as error:
        asyncio.run(start())
    assert error.value.hint and "ask again" not in error.value.hint and "abcdef" not in error.value.message


@pytest.mark.model
def test_the_default_model_passes(default_model: Path) -> None:
    assert asyncio.run(trial(default_model, "it")) is None


def test_the_library_is_asked_about_an_architecture_by_its_name_alone() -> None:
    assert asyncio.run(knows("llama", "it")) is None
    error = asyncio.run(knows("qwen9moe", "it"))
    assert isinstance(error, UnsupportedError) and "the architecture 'qwen9moe' of it" in error.message
