"""Every architecture that is named in the catalogue's table of runs does here what the table says.

One tiny random model each (`architectures`), one library, one process. The comparison with transformers runs where
`pip install -e '.[reference]'` has been: torch is large, so that CI goes without.
"""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.local.layouts import WHEEL_VERSION
from pluriverse.engines.local.library import Library, find
from pluriverse.engines.local.renderer import Renderer

from .architectures import ARCHITECTURES, write
from .known import known
from .proving import Proving
from .references import DIFFERENT, REFERENCES, logits

TABLE: dict[str, Any] = tomllib.loads(
    (files("pluriverse.catalogue") / "data" / "architectures.toml").read_text("utf-8")
)
CLOSE = 0.02


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(find())


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_does_what_the_table_says(name: str, tmp_path: Path, library: Library, renderer: Renderer) -> None:
    proving = Proving(library, write(tmp_path / f"{name}.gguf", name), renderer)
    try:
        found = proving.results()
    finally:
        proving.close()
    assert found == {check: TABLE["run"][name][check] for check in found}


def test_the_table_is_of_these_models_and_this_library() -> None:
    assert TABLE["library"] == f"xllamacpp {WHEEL_VERSION}", "make it anew: python benchmarks/architectures.py"
    assert list(TABLE["run"]) == list(ARCHITECTURES)
    assert (TABLE["known"], TABLE["refused"]) == known()
    for name, row in TABLE["run"].items():
        assert row["architecture"] in TABLE["known"]
        assert "difference" in row or row["why"], name
        assert row.get("difference", 0) <= CLOSE or row["why"], name


@pytest.mark.parametrize("name", REFERENCES)
def test_logits_are_those_of_transformers(name: str, tmp_path: Path, library: Library, renderer: Renderer) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    torch.set_num_threads(1)
    path = write(tmp_path / f"{name}.gguf", name)
    tokens = [int(token) for token in np.random.default_rng(4).integers(3, 255, 40)]
    proving = Proving(library, path, renderer)
    try:
        ours = proving.logits(tokens)
    finally:
        proving.close()
    alike = float(np.abs(ours - logits(path, name, tokens)).max()) < CLOSE
    assert alike != (name in DIFFERENT)
