"""What is added to llama.cpp's source: put where it belongs, or nothing is compiled."""

from pathlib import Path

import pytest

from pluriverse.engines.native import additions
from pluriverse.errors import EngineError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with each anchor once, and lines between them."""
    for each in additions.INSERTIONS:
        path = tmp_path / each.file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if path.exists() else "// first\n"
        path.write_text(f"{before}{each.anchor}// between\n", "utf-8")
    return tmp_path


def test_lines_go_before_their_anchors_and_the_kernel_beside(source: Path) -> None:
    additions.add(source)
    for each in additions.INSERTIONS:
        text = (source / each.file).read_text("utf-8")
        assert text.count(each.text + each.anchor) == 1
        assert text.startswith("// first\n") and text.endswith("// between\n")
    kernel = source / additions.INSERTIONS[0].file
    assert (kernel.parent / "amx_bf16.h").read_text("utf-8") == additions.kernel()


@pytest.mark.parametrize("number", [0, 2])
def test_a_source_that_is_another_is_refused(source: Path, number: int) -> None:
    last = additions.INSERTIONS[-1]
    path = source / last.file
    path.write_text(path.read_text("utf-8").replace(last.anchor, last.anchor * number), "utf-8")
    with pytest.raises(EngineError, match=r"mmq\.cpp of llama\.cpp is not what it was"):
        additions.add(source)


def test_another_kernel_is_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    before = additions.digest()
    assert before == additions.digest() and len(before) == 64
    monkeypatch.setattr(additions, "kernel", lambda: "// nothing")
    assert additions.digest() != before
