"""The snippets of docs/tools.md run as printed; the tests that docs/server.md names are there."""

import re
from pathlib import Path

import pytest

from .conftest import Served

ROOT = Path(__file__).parents[2]
TOOLS, THREATS = (ROOT / "docs" / f"{name}.md" for name in ("tools", "server"))


def test_snippets_run_as_printed(scripted: Served, capsys: pytest.CaptureFixture[str]) -> None:
    snippets = re.findall(r"^```python\n(.*?)^```", TOOLS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names = {"URL": scripted.url, "TOKEN": scripted.token}
    for snippet in snippets:
        exec(compile(snippet, str(TOOLS), "exec"), names)
        assert capsys.readouterr().out or "assert" in snippet
    assert len(snippets) >= 6


def test_every_line_of_the_threat_model_has_its_test() -> None:
    lines = [line for line in THREATS.read_text("utf-8").splitlines() if line.startswith("| ")][2:]
    sources = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert len(lines) > 12
    for line in lines:
        named = line.split("|")[3]
        for name in re.findall(r"`(test_\w+)`", named):
            assert f"def {name}(" in sources, name
        for path in re.findall(r"`(tests/[\w/]+\.py)`", named):
            assert (ROOT / path).exists(), path
        assert "test" in named, line
