"""What is added to llama.cpp's source: put where it belongs, or nothing is compiled."""

from pathlib import Path

import pytest

from pluriverse.engines.native import additions
from pluriverse.errors import EngineError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with each line that is changed once, and others between them."""
    for each in additions.CHANGES:
        path = tmp_path / each.file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if path.exists() else "// first\n"
        path.write_text(f"{before}{each.old}// between\n", "utf-8")
    return tmp_path


def test_lines_are_changed_and_our_files_put_beside(source: Path) -> None:
    additions.add(source)
    for each in additions.CHANGES:
        text = (source / each.file).read_text("utf-8")
        assert text.count(each.new) == 1 and text.startswith("// first\n") and text.endswith("// between\n")
    for name, place in additions.FILES.items():
        assert (source / place).read_text("utf-8") == additions.content(name)
        assert any(f'#include "{name}"' in each.new for each in additions.CHANGES)


@pytest.mark.parametrize("number", [0, 2])
def test_a_source_that_is_another_is_refused(source: Path, number: int) -> None:
    first = additions.CHANGES[0]
    path = source / first.file
    path.write_text(path.read_text("utf-8").replace(first.old, first.old * number), "utf-8")
    with pytest.raises(EngineError, match=r"amx\.cpp of llama\.cpp is not what it was"):
        additions.add(source)


def test_another_kernel_is_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    before = additions.digest()
    assert before == additions.digest() and len(before) == 64
    monkeypatch.setattr(additions, "content", lambda _name: "// nothing")
    assert additions.digest() != before
