"""The code blocks of README and guide run as printed, with the scripted engine in the place of a model."""

import re
import shlex
from pathlib import Path

import pytest

from pluriverse.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "docs" / "guide.md"]

# What blocks take for a model: none of them is fetched here.
MODELS = {"small", "qwen2.5-7b-instruct", "qwen3-4b"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # blocks write reports
    (tmp_path / "sermons").mkdir()
    (tmp_path / "sermons" / "bread.txt").write_text(
        "On bread and wine. We break the bread and share the wine.\n", "utf-8"
    )
    monkeypatch.setenv("PLURIVERSE_BASE", "scripted")
    monkeypatch.setenv("PLURIVERSE_OFFLINE", "1")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_blocks(page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ran = 0
    for line in "\n".join(blocks(page, "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["echo"]:
            import io

            monkeypatch.setattr("sys.stdin", io.StringIO(words[1]))
            words = words[words.index("|") + 1 :]
        if words[:1] != ["pluriverse"] or words[1] == "pull":
            continue  # making environments and fetching is what the model tests do
        code = main(
            ["scripted" if word in {"small", "qwen2.5-7b-instruct", "qwen3-4b"} else word for word in words[1:]]
        )
        verdicts = {0, 1} if words[1:3] == ["panel", "check"] else {0}  # a script's voices need not be plural
        assert code in verdicts, f"{line}\n{capsys.readouterr().err}"
        ran += 1
    assert ran > 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks(page: Path) -> None:
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), {"__name__": "docs"})


def test_every_setting_is_documented() -> None:
    from pluriverse import settings

    named = set(re.findall(r"PLURIVERSE_[A-Z]+", (ROOT / "src/pluriverse/settings.py").read_text()))
    told = set(re.findall(r"PLURIVERSE_[A-Z]+", PAGES[1].read_text()))
    assert named - told <= {"PLURIVERSE_DATA"}, settings.__doc__


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text("utf-8").splitlines()) <= 120
